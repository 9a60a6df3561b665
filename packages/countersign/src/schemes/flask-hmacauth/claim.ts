import type { Claim } from '../scheme.ts'

/**
 * How a query ends where a signed body follows it with nothing between: in an account id (longer or shorter it is another
 * account), in a TIMESTAMP of ten digits, in one written otherwise, or in anything else.
 */
export type QueryEnd = 'account-id' | 'plain-timestamp' | 'timestamp' | 'other'

/** A claim with the form of the target that is signed. */
export interface FlaskHmacauthClaim extends Claim {
  /** The target as rebuilt. */
  readonly target: string
  readonly signsContent: boolean
  /** `undefined` where any body may follow. */
  readonly queryEnd: QueryEnd | undefined
}
