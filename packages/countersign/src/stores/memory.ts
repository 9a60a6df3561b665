import type { Clock } from '../clock/clock.ts'
import type { Credential } from '../credentials/credential.ts'
import type { CredentialStore } from '../credentials/store.ts'
import { CountersignError } from '../reasons/error.ts'
import type { NonceStore } from '../replay/nonce-store.ts'

/** Credentials in memory that can be changed while they are in use. Finds at once, so `verifySync` works with it. */
export interface MemoryCredentials extends CredentialStore {
  find(keyId: string, scheme: string): Credential | undefined
  /** Takes in one credential or several; one whose id is there already is replaced. */
  add(credentials: Credential | readonly Credential[]): void
  /** Drops one credential or several by id; unknown ids are passed over. */
  remove(ids: string | readonly string[]): void
}

/** What `memoryNonces` takes. */
export interface MemoryNoncesOptions {
  /** Most live tokens. Default 1,000,000; 1 to 100,000,000. At about 28 bytes each. */
  readonly limit?: number
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** A nonce store that answers at once. */
export interface MemoryNonces extends NonceStore {
  record(nonce: string, expiresAt: number): 'fresh' | 'seen'
}

/** Credentials in memory. */
export function memoryCredentials(_credentials: readonly Credential[] = []): MemoryCredentials {
  throw new CountersignError('store-failed', 'not here yet')
}

/** One credential, found by its own id alone. */
export function staticCredential(_credential: Credential): CredentialStore {
  throw new CountersignError('store-failed', 'not here yet')
}

/** Replay tokens in memory. */
export function memoryNonces(_options: MemoryNoncesOptions = {}): MemoryNonces {
  throw new CountersignError('store-failed', 'not here yet')
}
