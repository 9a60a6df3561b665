import type { MaybePromise } from '../message/body.ts'

/**
 * Remembers replay tokens until they expire. Atomic: of any number of concurrent calls with one token exactly one gets `fresh`.
 * A store never forgets a live token to make room and never guesses. Where it is full, unreachable, or cannot know whether it has
 * forgotten the token already (a clock set back), it throws or rejects, which is answered 503.
 */
export interface NonceStore {
  /** `expiresAt`: whole seconds since the epoch; the token may be forgotten after it. */
  record(nonce: string, expiresAt: number): MaybePromise<'fresh' | 'seen'>
}
