import type { KnownCredential } from '../credentials/known.ts'
import type { Rules } from '../policy/rules.ts'
import { CountersignError } from '../reasons/error.ts'
import { type Refusal, refuse } from '../reasons/reasons.ts'
import type { Claim, Scheme } from '../schemes/scheme.ts'

/** Everything one judgement goes by. */
export interface Judgement {
  readonly schemes: readonly Scheme[]
  readonly rules: Rules
  readonly rights: readonly string[]
  /** Whether there is a nonce store. */
  readonly recordsNonces: boolean
  /** Whole seconds since the epoch. */
  readonly now: number
}

/** A claim that stood. */
export interface Stood {
  readonly ok: true
  readonly scheme: Scheme
  readonly claim: Claim
  readonly credential: KnownCredential
}

/** A refusal, and the claim that fell where there was one. */
export interface Fell {
  readonly ok: false
  readonly scheme: Scheme | undefined
  readonly claim: Claim | undefined
  readonly refusal: Refusal
}

/** A claim that is to be judged. */
export interface Candidate {
  readonly scheme: Scheme
  readonly claim: Claim
}

/** Gives the refusal for what a store or key could not do. */
export function unavailable(doing: string, failure: unknown): Refusal {
  if (!(failure instanceof CountersignError)) {
    // Only our own errors are known to be free of secrets; of others nothing but the name is repeated.
    return refuse('store-unavailable', `${doing}: ${failure instanceof Error ? failure.name : 'failure'}`)
  }
  return refuse(
    failure.code === 'algorithm-unsupported' ? 'algorithm-refused' : 'store-unavailable',
    `${doing}: ${failure.message}`,
  )
}

/** Gives the outcome of a refusal; `of`: what was judged, where there was something. */
export function fallen(of: Pick<Fell, 'scheme' | 'claim'> | undefined, refusal: Refusal): Fell {
  return { ok: false, scheme: of?.scheme, claim: of?.claim, refusal }
}
