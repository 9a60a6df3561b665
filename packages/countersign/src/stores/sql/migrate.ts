import type { Kysely } from 'kysely'
import { CountersignError } from '../../reasons/error.ts'
import type { SqlTables } from './tables.ts'

/** Creates or upgrades the tables. */
export async function migrateSql(_db: Kysely<SqlTables>): Promise<void> {
  throw new CountersignError('store-failed', 'not here yet')
}
