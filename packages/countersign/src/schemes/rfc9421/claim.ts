import type { Claim } from '../scheme.ts'
import type { CoveredComponents } from './input.ts'

/** What an RFC 9421 signature says of itself. */
export interface Rfc9421Claim extends Claim {
  readonly coverage: CoveredComponents
  /** The value of `@signature-params`, as serialised. */
  readonly signatureParams: string
}
