import type { MaybePromise } from '../message/body.ts'

/**
 * Remembers replay tokens until they expire. Atomic: of any number of concurrent calls with one token exactly one gets `fresh`.
 * A store that is full or unreachable throws or rejects, which is answered 503; it never forgets a live token to make room.
 */
export interface NonceStore {
  /** `expiresAt`: whole seconds since the epoch; the token may be forgotten after it. */
  record(nonce: string, expiresAt: number): MaybePromise<'fresh' | 'seen'>
}
