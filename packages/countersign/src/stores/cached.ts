import type { Clock } from '../clock/clock.ts'
import type { CredentialStore } from '../credentials/store.ts'
import { CountersignError } from '../reasons/error.ts'

/** What `cachedCredentials` takes. */
export interface CachedCredentialsOptions {
  /** Longest age of an answer, in seconds; so a revocation elsewhere shows within it. Default 5; 0 to 3600. */
  readonly ttlSeconds?: number
  /** Most known ids held, and as many unknown ones. Default 10,000; 1 to 1,000,000. */
  readonly limit?: number
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** A credential store with a cache in front. */
export interface CachedCredentials extends CredentialStore {
  /** Forgets all answers; reads under way are not kept either. */
  clear(): void
}

/** Puts a cache in front of a credential store. */
export function cachedCredentials(
  _store: CredentialStore,
  _options: CachedCredentialsOptions = {},
): CachedCredentials {
  throw new CountersignError('store-failed', 'not here yet')
}
