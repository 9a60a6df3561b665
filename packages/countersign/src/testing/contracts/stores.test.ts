import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openSqlite, temporaryDirectory } from '../../../../../scripts/sqlite-file.ts'
import type { Clock } from '../../clock/clock.ts'
import type { Credential } from '../../credentials/credential.ts'
import { knowCredential } from '../../credentials/known.ts'
import { generateSecret } from '../../keys/generate.ts'
import { sealer } from '../../keys/seal.ts'
import { secretBytes } from '../../keys/secret.ts'
import type { NonceStore } from '../../replay/nonce-store.ts'
import { cachedCredentials } from '../../stores/cached.ts'
import { memoryCredentials, memoryNonces, staticCredential } from '../../stores/memory.ts'
import { migrateSql, sqlCredentials, sqlNonces } from '../../stores/sql/sql.ts'
import type { ContractCase } from './contract-case.ts'
import { credentialStoreContract, type MakeCredentialStore } from './credential-store.ts'
import { type MakeNonceStore, nonceStoreContract } from './nonce-store.ts'

const directory = temporaryDirectory()
const opened: { close(): unknown }[] = []
afterAll(() => {
  for (const connection of opened) connection.close()
  directory.remove()
})

async function database() {
  const { db, connection } = openSqlite(join(directory.path, `${opened.length}.db`))
  opened.push(connection)
  await migrateSql(db)
  return db
}

const inSql: MakeCredentialStore = async (credentials) => {
  const store = sqlCredentials({ db: await database(), sealer: sealer(generateSecret()) })
  for (const { key, secret: _, secrets, active, ...rest } of credentials.map(knowCredential)) {
    const [first] = secrets
    await store.create({
      id: rest.id,
      ...(typeof key === 'string' ? { key } : {}),
      ...(first === undefined ? {} : { secret: secretBytes(first.secret) }),
      ...(rest.algorithm === undefined ? {} : { algorithm: rest.algorithm }),
      ...(rest.rights === undefined ? {} : { rights: rest.rights }),
      ...(rest.owner === undefined ? {} : { owner: rest.owner }),
      ...(rest.notBeforeAt === undefined ? {} : { notBeforeAt: rest.notBeforeAt }),
      ...(rest.expiresAt === undefined ? {} : { expiresAt: rest.expiresAt }),
    })
    if (active === false) await store.revoke(rest.id)
  }
  return store
}

const credentialStores: Readonly<Record<string, MakeCredentialStore>> = {
  memoryCredentials,
  'memoryCredentials filled while in use': (credentials) => {
    const store = memoryCredentials()
    for (const credential of credentials) store.add(credential)
    store.add({ id: 'a', secret: 'dropped again' })
    store.remove('a')
    return store
  },
  'cachedCredentials over memory': (credentials) => cachedCredentials(memoryCredentials(credentials)),
  'cachedCredentials over SQLite': async (credentials) => cachedCredentials(await inSql(credentials)),
  'cachedCredentials with room for one': (credentials) =>
    cachedCredentials(memoryCredentials(credentials), { limit: 1 }),
  'sqlCredentials on SQLite': inSql,
}

for (const [name, makeStore] of Object.entries(credentialStores)) {
  describe(`${name} under the credential store contract`, () => {
    for (const { name, run } of credentialStoreContract(makeStore)) it(name, run)
  })
}

const nonceStores: Readonly<Record<string, MakeNonceStore>> = {
  memoryNonces: (clock) => memoryNonces({ clock }),
  'memoryNonces of many tables': (clock) => memoryNonces({ clock, limit: 10_000_000 }),
  'sqlNonces on SQLite': async (clock) => sqlNonces({ db: await database(), clock }),
  // Both see one database through connections of their own, as two processes do.
  'sqlNonces of two connections in turn': async (clock) => {
    const path = join(directory.path, `${opened.length}.db`)
    const stores = [openSqlite(path), openSqlite(path)].map(({ db, connection }) => {
      opened.push(connection)
      return { db, store: sqlNonces({ db, clock }) }
    })
    for (const { db } of stores) await migrateSql(db)
    let turn = 0
    return { record: (token, expiresAt) => stores[turn++ % 2]?.store.record(token, expiresAt) ?? 'seen' }
  },
}

for (const [name, makeStore] of Object.entries(nonceStores)) {
  describe(`${name} under the nonce store contract`, () => {
    for (const { name, run } of nonceStoreContract(makeStore)) it(name, run)
  })
}

/** Gives the names of the cases that fail. */
async function failing(cases: readonly ContractCase[]): Promise<string> {
  const names: string[] = []
  for (const { name, run } of cases) await run().catch(() => names.push(name))
  return names.join('; ')
}

function mapStore(options: {
  readonly clock: Clock
  readonly name?: (token: string) => string
  readonly isLive?: (end: number, now: number) => boolean
}): NonceStore {
  const { clock, name = (token) => token, isLive = (end, now) => end >= now } = options
  const ends = new Map<string, number>()
  return {
    record(token, expiresAt) {
      const end = ends.get(name(token))
      if (end !== undefined && isLive(end, clock())) return 'seen'
      ends.set(name(token), expiresAt)
      return 'fresh'
    },
  }
}

const brokenNonceStores: Readonly<Record<string, readonly [MakeNonceStore, caughtBy: RegExp]>> = {
  'forgets everything': [() => ({ record: () => 'fresh' }), /takes a token once/],
  'looks before it leaps': [
    () => {
      const seen = new Set<string>()
      return {
        record: async (token) => {
          if (await Promise.resolve(seen.has(token))) return 'seen'
          await Promise.resolve()
          seen.add(token)
          return 'fresh'
        },
      }
    },
    /racing/,
  ],
  'ignores case': [(clock) => mapStore({ clock, name: (token) => token.toLowerCase() }), /look alike/],
  'cuts at NUL': [(clock) => mapStore({ clock, name: (token) => token.split('\0', 1).join() }), /look alike/],
  normalises: [(clock) => mapStore({ clock, name: (token) => token.normalize() }), /look alike/],
  'forgets in the last second': [
    (clock) => mapStore({ clock, isLive: (end, now) => end > now }),
    /last second/,
  ],
  'never forgets': [(clock) => mapStore({ clock, isLive: () => true }), /long after its end/],
  'forgets what comes late': [(clock) => mapStore({ clock }), /after its end/],
  'drops what has ended and thinks no more of it': [
    (clock) => {
      const ends = new Map<string, number>()
      return {
        record(token, expiresAt) {
          for (const [held, end] of ends) if (end < clock()) ends.delete(held)
          if (ends.has(token)) return 'seen'
          ends.set(token, Math.max(expiresAt, clock()))
          return 'fresh'
        },
      }
    },
    /clock was set back/,
  ],
}

describe('the nonce store contract', () => {
  for (const [fault, [makeStore, caughtBy]] of Object.entries(brokenNonceStores)) {
    it(`catches a store that ${fault}`, async () => {
      expect(await failing(nonceStoreContract(makeStore))).toMatch(caughtBy)
    })
  }
})

function changed(change: (found: Credential) => Credential): MakeCredentialStore {
  return (credentials) => {
    const { find } = memoryCredentials(credentials)
    return {
      find: (id, scheme) => {
        const found = find(id, scheme)
        return found === undefined ? undefined : change(found)
      },
    }
  }
}

const brokenCredentialStores: Readonly<Record<string, readonly [MakeCredentialStore, caughtBy: RegExp]>> = {
  'knows nobody': [() => ({ find: () => undefined }), /everything it has/],
  'knows everybody': [() => staticCredential({ id: 'billing', secret: 'x' }), /everything it has/],
  'looks ids up in a plain object': [
    (credentials) => {
      const held: Record<string, Credential> = Object.fromEntries(credentials.map((one) => [one.id, one]))
      return { find: (id) => held[id] }
    },
    /knows no id but those it holds/,
  ],
  'ignores case': [
    (credentials) => {
      const { find } = memoryCredentials(credentials)
      return { find: (id, scheme) => find(id, scheme) ?? find(id.toLowerCase(), scheme) }
    },
    /knows no id but those it holds/,
  ],
  'forgets that a key was revoked': [changed((found) => ({ ...found, active: true })), /as inactive/],
  'loses rights': [changed((found) => ({ ...found, rights: [] })), /everything it has/],
  'gives one secret for all': [
    changed((found) => (found.key === undefined ? { ...found, secrets: [{ secret: 'x' }] } : found)),
    /byte for byte.*any spelling.*prints a secret/,
  ],
  'hands out what it holds': [
    (credentials) => {
      const held = new Map(credentials.map((one) => [one.id, { ...knowCredential(one) }]))
      return { find: (id) => held.get(id) }
    },
    /changes what it holds/,
  ],
  'throws on what it does not know': [
    (credentials) => {
      const { find } = memoryCredentials(credentials)
      return {
        find: (id, scheme) => {
          if (id.length > 256) throw new Error('too long')
          return find(id, scheme)
        },
      }
    },
    /never fails on one/,
  ],
}

describe('the credential store contract', () => {
  for (const [fault, [makeStore, caughtBy]] of Object.entries(brokenCredentialStores)) {
    it(`catches a store that ${fault}`, async () => {
      expect(await failing(credentialStoreContract(makeStore))).toMatch(caughtBy)
    })
  }
})
