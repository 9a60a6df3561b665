/** Opens a SQLite file and migrates it: one of several processes that start at once. Prints `migrated`. */
import { migrateSql } from '../packages/countersign/src/stores/sql/sql.ts'
import { openSqlite } from './sqlite-file.ts'

const [, , path = ''] = process.argv
await migrateSql(openSqlite(path).db)
console.log('migrated')
