import { missingRight } from '../credentials/rights.ts'
import type { Policy } from '../policy/policy.ts'
import { CountersignError } from '../reasons/error.ts'
import { reasons } from '../reasons/reasons.ts'
import type { Verdict, Verified } from '../verifier/verdict.ts'
import { type Answer, publicReason, type Respond } from './respond.ts'

/** What every guard takes. @internal */
export interface GuardOptions {
  /** Rights that the caller must have, all of them. Default: none. */
  readonly rights?: readonly string[]
  /** Fields that differ from the verifier's policy. */
  readonly policy?: Policy
  /** Makes the answer to a refusal. Default: problem details that give nothing away. */
  readonly respond?: Respond
}

/** What a guard makes of a request: it passes, with the signature if there is one, or it is answered at once. @internal */
export type Outcome =
  | {
      readonly kind: 'passed'
      readonly signature: Verified | undefined
      /** In the mode `warn`: the public code of what would have been refused, for `Countersign-Warning`. */
      readonly warning: string | undefined
    }
  | { readonly kind: 'refused'; readonly answer: Answer }

/** Name of the response field that says, in the mode `warn`, why a request would have been refused. @internal */
export const warningField = 'Countersign-Warning'

/**
 * Decides from a verdict. Where a signature is not needed, none is fine, but a wrong one is refused all the same:
 * whoever signs means to be known.
 * @internal
 */
export function outcomeOf(verdict: Verdict, needed: boolean, respond: Respond): Outcome {
  if (verdict.ok) return { kind: 'passed', signature: verdict, warning: undefined }
  if (!needed && verdict.reason === 'signature-absent') return anonymous
  if (verdict.enforced) return { kind: 'refused', answer: respond(verdict) }
  return verdict.mode === 'warn'
    ? { kind: 'passed', signature: undefined, warning: publicReason(verdict.reason) }
    : anonymous
}

const anonymous: Outcome = { kind: 'passed', signature: undefined, warning: undefined }

/** Gives the verdict of a guard that comes second on the same request: as the first, less what its own rights refuse. @internal */
export function withRights(verdict: Verdict, rights: readonly string[] | undefined): Verdict {
  if (!verdict.ok || rights === undefined) return verdict
  const lacking = missingRight(verdict.credential.rights, rights)
  if (lacking === undefined) return verdict
  const { mode, scheme, claim } = verdict
  return {
    ok: false,
    reason: 'right-missing',
    status: reasons['right-missing'].status,
    headers: [],
    detail: `the right ${JSON.stringify(lacking)} is required`,
    enforced: mode === 'enforce',
    mode,
    scheme,
    claim,
  }
}

/**
 * Makes an error of whatever a verification threw. Frameworks take some values for consent:
 * in Express `next(undefined)` runs the handler and `next('route')` the next route.
 * @internal
 */
export function errorFrom(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new CountersignError('store-failed', 'the verification failed with something that is not an Error', {
        cause: thrown,
      })
}
