import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqlite, type SqliteFile, temporaryDirectory } from '../../../../../scripts/sqlite-file.ts'
import { generateSecret } from '../../keys/generate.ts'
import { sealer } from '../../keys/seal.ts'
import { settableClock } from '../../testing/clock.ts'
import { migrateSql, type SqlCredentials, sqlCredentials } from './sql.ts'

const start = 1_800_000_000
const master = generateSecret()
const directory = temporaryDirectory()
let file: SqliteFile
let store: SqlCredentials
beforeAll(async () => {
  file = openSqlite(join(directory.path, 'tampered.db'))
  await migrateSql(file.db)
  store = sqlCredentials({ db: file.db, sealer: sealer(master), clock: settableClock(start) })
})
afterAll(() => {
  file.connection.close()
  directory.remove()
})

let made = 0
async function credential(): Promise<string> {
  const id = `credential ${made++}`
  await store.create({
    id,
    secret: generateSecret(),
    algorithm: 'hmac-sha256',
    scheme: 'rfc9421',
    rights: ['read'],
    owner: 'Ada',
    notBeforeAt: start - 10,
    expiresAt: start + 10,
  })
  return id
}

const run = (sql: string, ...values: unknown[]) => file.connection.prepare(sql).run(values)
const keyInvalid: unknown = expect.objectContaining({ code: 'key-invalid' })

/** What someone with write access to the database, but not the master key, would do. */
const changes: readonly (readonly [what: string, sql: string])[] = [
  ['widens rights', `set rights = '["read","admin"]'`],
  ['writes the same rights in other words', `set rights = '[ "read" ]'`],
  ['changes the owner', `set owner = 'Mallory'`],
  ['takes the owner away', 'set owner = null'],
  ['names the text null as the owner', `set owner = 'null'`],
  ['changes the algorithm', `set algorithm = 'hmac-sha1'`],
  ['takes the algorithm away', 'set algorithm = null'],
  ['changes the scheme', `set scheme = 'ustudio-hmac'`],
  ['takes the scheme away', 'set scheme = null'],
  ['moves the end', 'set expires_at = expires_at + 1'],
  ['takes the end away', 'set expires_at = null'],
  ['moves the beginning', 'set not_before_at = not_before_at - 1'],
  ['moves the creation', 'set created_at = created_at - 1'],
  ['adds a public key', `set public_key = 'x'`],
  ['changes the kind', `set kind = 'key'`],
  ['revokes without the key', 'set active = 0'],
  ['makes active neither', 'set active = 2'],
  ['counts the revision on', 'set revision = revision + 1'],
  ['takes the versions away', `set versions = '[]'`],
  ['breaks the versions', `set versions = 'not JSON'`],
  ['lets a version live longer', `set versions = '[[1,${start},null,9999999999]]'`],
  ['empties the sealed text', `set sealed = ''`],
  ['cuts the sealed text', 'set sealed = substr(sealed, 1, length(sealed) - 2)'],
  ['seals under another master key', `set sealed = replace(sealed, 'v1.', 'v1.A')`],
]

describe('sqlCredentials on a row changed by other hands', () => {
  it.each(changes)('refuses to find it where someone %s', async (_, sql) => {
    const id = await credential()
    expect(await store.find(id, 'rfc9421')).toMatchObject({ id })
    expect(run(`update countersign_credentials ${sql} where id = ?`, id).changes).toBe(1)
    await expect(store.find(id, 'rfc9421')).rejects.toEqual(keyInvalid)
    await expect(store.find(id, 'ustudio-hmac')).rejects.toEqual(keyInvalid)
    expect(await store.show(id)).toMatchObject({ id, intact: false })
    await expect(store.rotate(id, { secret: generateSecret(), overlapSeconds: 0 })).rejects.toEqual(
      keyInvalid,
    )
    // It can be switched off all the same, and is then no more to be found than before.
    expect(await store.revoke(id)).toBe(true)
    await expect(store.find(id, 'rfc9421')).rejects.toEqual(keyInvalid)
    expect(Number((await store.show(id))?.active)).toBe(0)
  })

  it('refuses both where two swapped their sealed secrets', async () => {
    const [one, other] = [await credential(), await credential()]
    const sealed = file.connection
      .prepare('select sealed from countersign_credentials where id in (?, ?) order by id')
      .all([one, other]) as { sealed: string }[] // as the column is
    run('update countersign_credentials set sealed = ? where id = ?', sealed[1]?.sealed, one)
    run('update countersign_credentials set sealed = ? where id = ?', sealed[0]?.sealed, other)
    for (const id of [one, other]) await expect(store.find(id, 'rfc9421')).rejects.toEqual(keyInvalid)
  })

  it('refuses a row that was copied or renamed', async () => {
    const id = await credential()
    run('update countersign_credentials set id = ? where id = ?', `${id} renamed`, id)
    await expect(store.find(`${id} renamed`, 'rfc9421')).rejects.toEqual(keyInvalid)
    expect(await store.find(id, 'rfc9421')).toBeUndefined()
  })

  it('refuses to find one whose revocation was undone', async () => {
    const id = await credential()
    await store.revoke(id)
    run('update countersign_credentials set active = 1, revoked_at = null where id = ?', id)
    await expect(store.find(id, 'rfc9421')).rejects.toEqual(keyInvalid)
    run('update countersign_credentials set revision = revision - 1 where id = ?', id)
    await expect(store.find(id, 'rfc9421')).rejects.toEqual(keyInvalid)
  })

  it('lists it all the same, marked, beside the others', async () => {
    const [bad, good] = [await credential(), await credential()]
    run(
      `update countersign_credentials set rights = '{', versions = '[1,null,{}]', kind = '' where id = ?`,
      bad,
    )
    const list = await store.list()
    expect(list.find(({ id }) => id === bad)).toMatchObject({ intact: false, rights: [] })
    expect(list.find(({ id }) => id === good)).toMatchObject({ intact: true, rights: ['read'] })
  })

  it('names the credential and no more in what it throws', async () => {
    const id = await credential()
    run('update countersign_credentials set owner = null where id = ?', id)
    const failure: unknown = await store.find(id, 'rfc9421').catch((cause: unknown) => cause)
    expect(String(failure)).toContain(id)
    expect(String(failure)).toContain('changed')
  })
})

describe('sqlCredentials under another master key', () => {
  it('finds nothing, says that it is the key, and marks every record', async () => {
    const id = await credential()
    const stranger = sqlCredentials({ db: file.db, sealer: sealer(generateSecret()) })
    await expect(stranger.find(id, 'rfc9421')).rejects.toThrow('another master key')
    expect((await stranger.list()).some(({ intact }) => intact)).toBe(false)
    expect(await store.find(id, 'rfc9421')).toMatchObject({ id })
  })
})
