import type { Credential } from '../credentials/credential.ts'
import type { Policy } from '../policy/policy.ts'
import type { Reason } from '../reasons/reasons.ts'
import type { Warning } from '../reasons/warnings.ts'
import type { Claim } from '../schemes/scheme.ts'

/** What the policy makes of a refusal. */
export type Mode = NonNullable<Policy['mode']>

/** The message is proven: who signed it, and what was signed. */
export interface Verified {
  readonly ok: true
  readonly scheme: string
  /** Its secrets are `Secret` objects, which do not print. */
  readonly credential: Credential
  readonly claim: Claim
  /** What the message leaves open all the same. Empty for a scheme that covers everything it should. */
  readonly warnings: readonly Warning[]
  readonly mode: Mode
}

/** The message is refused: why, and what to answer. */
export interface Refused {
  readonly ok: false
  readonly reason: Reason
  readonly status: number
  /** The challenge to send back: `WWW-Authenticate`, `Accept-Signature`, `Retry-After`. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** For logs and `explain`, never for outsiders. Free of secrets and signatures. */
  readonly detail: string
  /** False where the policy's mode lets the message pass all the same (`warn`, `observe`, `off`); it has no identity then. */
  readonly enforced: boolean
  readonly mode: Mode
  readonly scheme: string | undefined
  /** What the message claimed. Unproven. */
  readonly claim: Claim | undefined
}

/** What came of a verification. */
export type Verdict = Verified | Refused
