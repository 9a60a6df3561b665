import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { openSqlite, temporaryDirectory } from '../../../../../scripts/sqlite-file.ts'
import { generateSecret } from '../../keys/generate.ts'
import { sealer } from '../../keys/seal.ts'
import { migrateSql, sqlCredentials } from './sql.ts'

const directory = temporaryDirectory()
const closing: (() => unknown)[] = []
afterAll(() => {
  for (const close of closing) close()
  directory.remove()
})

function newFile() {
  const path = join(directory.path, `${closing.length}.db`)
  const file = openSqlite(path)
  closing.push(() => file.connection.close())
  return { ...file, path }
}

describe('migrateSql', () => {
  it('creates the tables, and leaves them and what they hold alone the next time', async () => {
    const { db, connection } = newFile()
    await migrateSql(db)
    const schema = connection.prepare('select name, sql from sqlite_master order by name').all([])
    const store = sqlCredentials({ db, sealer: sealer(generateSecret()) })
    await store.create({ id: 'a', secret: generateSecret() })
    for (let i = 0; i < 3; i++) await migrateSql(db)
    expect(connection.prepare('select name, sql from sqlite_master order by name').all([])).toEqual(schema)
    expect(await store.list()).toHaveLength(1)
    expect(connection.prepare('select * from countersign_schema').all([])).toEqual([{ id: 1, version: 1 }])
  })

  it('refuses a database that is newer than the code, naming both versions, and leaves it alone', async () => {
    const { db, connection } = newFile()
    await migrateSql(db)
    connection.exec('update countersign_schema set version = 7')
    await expect(migrateSql(db)).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringMatching(/version 7.*up to 1/),
    })
    expect(connection.prepare('select version from countersign_schema').all([])).toEqual([{ version: 7 }])
  })

  it('takes up what was cut off: a row without tables, tables without a version', async () => {
    const { db, connection } = newFile()
    connection.exec('create table countersign_schema (id integer primary key, version integer not null)')
    await migrateSql(db)
    const store = sqlCredentials({ db, sealer: sealer(generateSecret()) })
    await store.create({ id: 'a', secret: generateSecret() })
    connection.exec('update countersign_schema set version = 0; delete from countersign_forgotten')
    await migrateSql(db)
    expect(await store.list()).toHaveLength(1)
    expect(connection.prepare('select * from countersign_forgotten').all([])).toEqual([
      { id: 1, through_at: 0 },
    ])
    connection.exec('drop table countersign_nonces; update countersign_schema set version = 0')
    await migrateSql(db)
    expect(connection.prepare('select count(*) as n from countersign_nonces').all([])).toEqual([{ n: 0 }])
  })

  it('leaves nothing behind where a step fails', async () => {
    const { db, connection } = newFile()
    connection.exec('create view countersign_forgotten as select 1 as id, 1 as through_at where 0')
    await expect(migrateSql(db)).rejects.toMatchObject({ code: 'store-failed' })
    const tables = connection.prepare(`select name from sqlite_master where type = 'table'`).all([])
    expect(tables).toEqual([{ name: 'countersign_schema' }])
    expect(connection.prepare('select version from countersign_schema').all([])).toEqual([{ version: 0 }])
  })

  it('rejects where the file takes no writes', async () => {
    const { db, connection } = newFile()
    connection.exec('PRAGMA query_only = 1')
    await expect(migrateSql(db)).rejects.toMatchObject({ code: 'store-failed' })
  })

  it('is safe when four processes start at once on a new file', { timeout: 60_000 }, async () => {
    const path = join(directory.path, 'by four.db')
    const script = fileURLToPath(new URL('../../../../../scripts/migrate-sqlite.ts', import.meta.url))
    const starts = Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', script, path]),
    )
    for (const { stdout } of await Promise.all(starts)) expect(stdout).toBe('migrated\n')
    const { connection } = openSqlite(path)
    closing.push(() => connection.close())
    expect(connection.prepare('select * from countersign_schema').all([])).toEqual([{ id: 1, version: 1 }])
  })
})
