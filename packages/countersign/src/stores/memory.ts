import type { Credential } from '../credentials/credential.ts'
import { type KnownCredential, knowCredential } from '../credentials/known.ts'
import type { CredentialStore } from '../credentials/store.ts'
import { CountersignError } from '../reasons/error.ts'

export { type MemoryNonces, type MemoryNoncesOptions, memoryNonces } from './nonce-table/memory-nonces.ts'

/** Credentials in memory that can be changed while they are in use. Finds at once, so `verifySync` works with it. */
export interface MemoryCredentials extends CredentialStore {
  find(keyId: string, scheme: string): Credential | undefined
  /**
   * Takes in one credential or several, all or none; one whose id is there already is replaced.
   * @throws CountersignError as `memoryCredentials` does
   */
  add(credentials: Credential | readonly Credential[]): void
  /** Drops one credential or several by id; unknown ids are passed over. */
  remove(ids: string | readonly string[]): void
}

/**
 * Keeps credentials in memory: frozen copies, their secrets wrapped at once so that none of them prints.
 * Weak secrets are taken, for old schemes that have such, but no empty one.
 * @throws CountersignError `config-invalid` for an id that is no text or comes twice in one list; `key-invalid` or `key-weak`
 * where a credential has neither secret nor key, both, or one that cannot be used.
 */
export function memoryCredentials(credentials: readonly Credential[] = []): MemoryCredentials {
  // A Map: `__proto__` and `constructor` are ids like any other.
  const held = new Map<string, KnownCredential>()
  const store: MemoryCredentials = {
    find: (keyId) => held.get(keyId),
    add(added) {
      for (const [id, credential] of takeIn(isList(added) ? added : [added])) held.set(id, credential)
    },
    remove(ids) {
      for (const id of typeof ids === 'string' ? [ids] : ids) held.delete(id)
    },
  }
  store.add(credentials)
  return store
}

/**
 * Holds one credential, found by its own id alone. For a service with a single caller.
 * @throws CountersignError as `memoryCredentials` does
 */
export function staticCredential(credential: Credential): CredentialStore {
  const { find } = memoryCredentials([credential])
  return { find }
}

function takeIn(credentials: readonly Credential[]): ReadonlyMap<string, KnownCredential> {
  const taken = new Map<string, KnownCredential>()
  for (const credential of credentials) {
    const { id } = credential
    if (typeof id !== 'string' || id === '') {
      throw new CountersignError(
        'config-invalid',
        `credential: expected an id, got ${id === '' ? 'empty text' : typeof id}`,
      )
    }
    if (taken.has(id)) {
      throw new CountersignError('config-invalid', `credential ${JSON.stringify(id)} is given twice`)
    }
    // A copy: what was known of the caller's object before must not answer for what it has become.
    taken.set(id, knowCredential({ ...credential }))
  }
  return taken
}

function isList(added: Credential | readonly Credential[]): added is readonly Credential[] {
  return Array.isArray(added)
}
