import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { openSqlite, temporaryDirectory } from '../../../../../scripts/sqlite-file.ts'
import type { Credential } from '../../credentials/credential.ts'
import { generateSecret } from '../../keys/generate.ts'
import { sealer } from '../../keys/seal.ts'
import { Secret, secretBytes } from '../../keys/secret.ts'
import { settableClock } from '../../testing/clock.ts'
import { migrateSql, type NewCredential, sqlCredentials } from './sql.ts'

const start = 1_800_000_000
const canary = new TextEncoder().encode('correct horse battery staple')
const publicKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
`
const directory = temporaryDirectory()
const closing: (() => unknown)[] = []
afterAll(() => {
  for (const close of closing) close()
  directory.remove()
})

/** Two stores on one file, through connections of their own, as two processes have. */
async function twoStores() {
  const path = join(directory.path, `${closing.length}.db`)
  const clock = settableClock(start)
  const master = generateSecret()
  const [one, other] = [openSqlite(path), openSqlite(path)]
  closing.push(
    () => one.connection.close(),
    () => other.connection.close(),
  )
  await migrateSql(one.db)
  const storeOn = (db: typeof one.db) => sqlCredentials({ db, sealer: sealer(master), clock })
  return { clock, path, connection: one.connection, store: storeOn(one.db), other: storeOn(other.db) }
}

function bytesIn(found: Credential | undefined): readonly (readonly number[])[] {
  return (found?.secrets ?? []).map(({ secret }) =>
    secret instanceof Secret ? [...secretBytes(secret)] : [],
  )
}

const storeFailed = (text: string): unknown =>
  expect.objectContaining({ code: 'store-failed', message: expect.stringContaining(text) })

describe('sqlCredentials', () => {
  it('gives records with every field and no secret, in a list by id', async () => {
    const { store } = await twoStores()
    const made = await store.create({
      id: 'billing',
      secret: canary,
      algorithm: 'hmac-sha256',
      scheme: 'rfc9421',
      rights: ['read', 'write'],
      owner: 'Ada Lovelace',
      notBeforeAt: start - 10,
      expiresAt: start + 1000,
    })
    expect(made).toEqual({
      id: 'billing',
      scheme: 'rfc9421',
      algorithm: 'hmac-sha256',
      kind: 'secret',
      rights: ['read', 'write'],
      owner: 'Ada Lovelace',
      active: true,
      createdAt: start,
      notBeforeAt: start - 10,
      expiresAt: start + 1000,
      revokedAt: undefined,
      versions: [{ version: 1, createdAt: start, notBeforeAt: undefined, expiresAt: undefined }],
      intact: true,
    })
    await store.create({ id: 'another', key: publicKey })
    const list = await store.list()
    expect(list.map(({ id, kind, versions }) => [id, kind, versions.length])).toEqual([
      ['another', 'key', 0],
      ['billing', 'secret', 1],
    ])
    expect(list[1]).toEqual(made)
    expect(await store.show('billing')).toEqual(made)
    expect(await store.show('unknown')).toBeUndefined()
    expect(inspect([made, list], { depth: 9 })).not.toContain('horse')
  })

  it('finds a credential under its own scheme alone where it has one', async () => {
    const { store } = await twoStores()
    await store.create({ id: 'bound', secret: canary, scheme: 'rfc9421' })
    await store.create({ id: 'free', secret: canary })
    expect(await store.find('bound', 'rfc9421')).toMatchObject({ id: 'bound' })
    expect(await store.find('bound', 'ustudio-hmac')).toBeUndefined()
    expect(await store.find('free', 'ustudio-hmac')).toMatchObject({ id: 'free' })
  })

  it('opens as much for an unknown id as for a known one, so that time does not tell which keys exist', async () => {
    const { db } = openSqlite(join(directory.path, 'timed.db'))
    closing.push(() => db.destroy())
    await migrateSql(db)
    const inner = sealer(generateSecret())
    let opens = 0
    const counting = {
      ...inner,
      open: (sealed: string, context: readonly string[]) => {
        opens++
        return inner.open(sealed, context)
      },
    }
    const store = sqlCredentials({ db, sealer: counting })
    await store.create({ id: 'known', secret: canary, scheme: 'rfc9421' })
    for (const [id, scheme] of [
      ['known', 'rfc9421'],
      ['known', 'hawk'],
      ['unknown', 'rfc9421'],
    ] as const) {
      opens = 0
      await store.find(id, scheme)
      expect(opens).toBe(1)
    }
  })

  it('shows every change to another connection at once', async () => {
    const { store, other, clock } = await twoStores()
    await store.create({ id: 'a', secret: canary })
    expect(bytesIn(await other.find('a', 'rfc9421'))).toEqual([[...canary]])
    await other.rotate('a', { secret: Uint8Array.of(1, 2, 3), overlapSeconds: 60 })
    expect(bytesIn(await store.find('a', 'rfc9421'))).toEqual([[...canary], [1, 2, 3]])
    clock.advance(5)
    await store.revoke('a')
    expect(await other.find('a', 'rfc9421')).toMatchObject({ active: false })
    expect(await other.show('a')).toMatchObject({ active: false, revokedAt: start + 5 })
  })

  it('refuses an id that is taken, by another connection too, and leaves it as it is', async () => {
    const { store, other } = await twoStores()
    await store.create({ id: 'a', secret: canary })
    await store.revoke('a')
    for (const again of [store, other]) {
      await expect(again.create({ id: 'a', secret: generateSecret() })).rejects.toEqual(
        storeFailed('"a" exists already'),
      )
    }
    expect(await store.find('a', 'rfc9421')).toMatchObject({ active: false })
    await store.create({ id: 'A', secret: Uint8Array.of(9) })
    expect(bytesIn(await store.find('A', 'rfc9421'))).toEqual([[9]])
  })

  it('lets one of fifty racing creates win', async () => {
    const { store, other } = await twoStores()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) =>
        (i % 2 ? store : other).create({ id: 'a', secret: Uint8Array.of(i) }),
      ),
    )
    const won = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
    expect(won).toHaveLength(1)
    expect(bytesIn(await store.find('a', 'rfc9421'))).toEqual([won])
  })

  it.each<readonly [string, string, Partial<NewCredential>]>([
    ['no secret and no key', 'key-invalid', {}],
    ['both a secret and a key', 'key-invalid', { secret: canary, key: publicKey }],
    ['an empty secret', 'key-weak', { secret: new Uint8Array() }],
    ['an empty id', 'config-invalid', { id: '', secret: canary }],
    ['an id of 257 characters', 'config-invalid', { id: 'x'.repeat(257), secret: canary }],
    ['an id with NUL', 'config-invalid', { id: 'a\0b', secret: canary }],
    ['an id with a line feed', 'config-invalid', { id: 'a\nb', secret: canary }],
    ['an id that is no Unicode', 'config-invalid', { id: 'a\ud800', secret: canary }],
    ['a right with NUL', 'config-invalid', { secret: canary, rights: ['read', 'wr\0ite'] }],
    ['an empty right', 'config-invalid', { secret: canary, rights: [''] }],
    ['an empty owner', 'config-invalid', { secret: canary, owner: '' }],
    ['an algorithm that nobody knows', 'config-invalid', { secret: canary, algorithm: 'none' }],
    ['an algorithm for another kind of key', 'config-invalid', { secret: canary, algorithm: 'ed25519' }],
    ['a secret algorithm for a key', 'config-invalid', { key: publicKey, algorithm: 'hmac-sha256' }],
    ['a key that is none', 'key-invalid', { key: 'not PEM' }],
    ['a part of a second', 'config-invalid', { secret: canary, expiresAt: start + 0.5 }],
    ['an instant before the epoch', 'config-invalid', { secret: canary, notBeforeAt: -1 }],
  ])('refuses to create a credential with %s', async (_, code, input) => {
    const { store } = await twoStores()
    const failure: unknown = await store.create({ id: 'a', ...input }).catch((cause: unknown) => cause)
    expect(failure).toMatchObject({ name: 'CountersignError', code })
    expect(String(failure)).not.toContain('horse')
    expect(await store.list()).toEqual([])
  })

  it('refuses to keep a private key where public ones are kept in clear', async () => {
    const { store } = await twoStores()
    // RFC 9421 appendix B.1.4.
    const key = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
`
    await expect(store.create({ id: 'a', key })).rejects.toThrow('public half')
  })

  it('writes no secret into the files of the database', async () => {
    const { store, connection, path } = await twoStores()
    await store.create({ id: 'a', secret: canary })
    await store.rotate('a', { secret: canary, overlapSeconds: 60 })
    for (const file of [path, `${path}-wal`]) {
      const bytes = readFileSync(file)
      for (const text of [
        Buffer.from(canary),
        Buffer.from(canary).toString('base64'),
        Buffer.from(canary).toString('hex'),
      ]) {
        expect(bytes.includes(text)).toBe(false)
      }
    }
    expect(connection.prepare('select count(*) as n from countersign_credentials').all()).toEqual([{ n: 1 }])
  })
})

describe('rotate', () => {
  it('makes the new secret live at once and ends the older ones after the overlap', async () => {
    const { store, clock } = await twoStores()
    await store.create({ id: 'a', secret: Uint8Array.of(1) })
    clock.advance(100)
    const record = await store.rotate('a', { secret: Uint8Array.of(2), overlapSeconds: 60 })
    expect(record.versions).toEqual([
      { version: 1, createdAt: start, notBeforeAt: undefined, expiresAt: start + 160 },
      { version: 2, createdAt: start + 100, notBeforeAt: undefined, expiresAt: undefined },
    ])
    expect((await store.find('a', 'rfc9421'))?.secrets).toMatchObject([
      { version: 1, expiresAt: start + 160 },
      { version: 2 },
    ])
  })

  it('never lets an older secret live longer than it was to, and erases those past their end', async () => {
    const { store, clock } = await twoStores()
    await store.create({ id: 'a', secret: Uint8Array.of(1) })
    await store.rotate('a', { secret: Uint8Array.of(2), overlapSeconds: 60 })
    clock.advance(10)
    const third = await store.rotate('a', { secret: Uint8Array.of(3), overlapSeconds: 1000 })
    expect(third.versions.map(({ expiresAt }) => expiresAt)).toEqual([start + 60, start + 1010, undefined])
    clock.set(start + 61)
    const fourth = await store.rotate('a', { secret: Uint8Array.of(4), overlapSeconds: 0 })
    expect(fourth.versions.map(({ version, expiresAt }) => [version, expiresAt])).toEqual([
      [2, start + 61],
      [3, start + 61],
      [4, undefined],
    ])
    expect(bytesIn(await store.find('a', 'rfc9421'))).toEqual([[2], [3], [4]])
  })

  it('counts versions on, also where all older ones are erased', async () => {
    const { store, clock } = await twoStores()
    await store.create({ id: 'a', secret: Uint8Array.of(1) })
    for (let version = 2; version < 40; version++) {
      clock.advance(1)
      const record = await store.rotate('a', { secret: Uint8Array.of(version), overlapSeconds: 0 })
      expect(record.versions.map((one) => one.version)).toEqual([version - 1, version])
    }
  })

  it('loses none of several rotations at once over two connections', async () => {
    const { store, other } = await twoStores()
    await store.create({ id: 'a', secret: Uint8Array.of(0) })
    await Promise.all(
      [1, 2, 3, 4, 5, 6, 7].map((i) =>
        (i % 2 ? store : other).rotate('a', { secret: Uint8Array.of(i), overlapSeconds: 60 }),
      ),
    )
    const found = await store.find('a', 'rfc9421')
    expect(bytesIn(found).flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(found?.secrets?.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    await expect(store.rotate('a', { secret: Uint8Array.of(8), overlapSeconds: 60 })).rejects.toEqual(
      storeFailed('8 live secrets'),
    )
  })

  it('refuses unknown ids, revoked credentials, public keys and bad input', async () => {
    const { store } = await twoStores()
    await store.create({ id: 'a', secret: canary })
    await store.create({ id: 'gone', secret: canary })
    await store.create({ id: 'public', key: publicKey })
    await store.revoke('gone')
    const rotation = { secret: canary, overlapSeconds: 60 }
    await expect(store.rotate('nobody', rotation)).rejects.toEqual(storeFailed('no credential "nobody"'))
    await expect(store.rotate('gone', rotation)).rejects.toEqual(storeFailed('revoked'))
    await expect(store.rotate('public', rotation)).rejects.toEqual(storeFailed('public key'))
    for (const overlapSeconds of [-1, 0.5, Number.NaN, 315_360_001]) {
      await expect(store.rotate('a', { secret: canary, overlapSeconds })).rejects.toMatchObject({
        code: 'config-invalid',
      })
    }
    await expect(store.rotate('a', { secret: new Uint8Array(), overlapSeconds: 0 })).rejects.toMatchObject({
      code: 'key-weak',
    })
    expect((await store.show('a'))?.versions).toHaveLength(1)
  })
})

describe('revoke', () => {
  it('says whether there is such a credential, and keeps the first instant', async () => {
    const { store, other, clock } = await twoStores()
    await store.create({ id: 'a', secret: canary })
    expect(await store.revoke('a')).toBe(true)
    clock.advance(10)
    expect(await other.revoke('a')).toBe(true)
    expect((await store.show('a'))?.revokedAt).toBe(start)
    for (const id of ['nobody', '', '\0', 'A', 'x'.repeat(9999)]) expect(await store.revoke(id)).toBe(false)
  })

  it('wins against rotations at the same time', async () => {
    const { store, other } = await twoStores()
    await store.create({ id: 'a', secret: canary })
    const rotations = [1, 2, 3].map((i) =>
      other.rotate('a', { secret: Uint8Array.of(i), overlapSeconds: 60 }),
    )
    const [revoked] = await Promise.all([store.revoke('a'), Promise.allSettled(rotations)])
    expect(revoked).toBe(true)
    expect(await store.find('a', 'rfc9421')).toMatchObject({ active: false })
    expect(await store.show('a')).toMatchObject({ active: false, intact: true })
  })
})
