import type { Claim } from '../scheme.ts'

/** Name of the scheme, in verdicts, logs and claims. */
export const schemeName = 'oauth-mac'

/** What an OAuth MAC signature says of itself. */
export interface OauthMacClaim extends Claim {
  /** `ts` as sent: the signature covers its spelling. */
  readonly ts: string
  /** `ts` as a number, in seconds from an instant that the client has chosen. By default that is the Unix epoch. */
  readonly timestamp: number
  /** `nonce` as sent; `Claim.nonce` joins it with the timestamp, since the pair is what must be new. */
  readonly sentNonce: string
  /** `ext` as sent; empty where there is none. */
  readonly ext: string
  /** `ext` as signed: empty where the option `unsigned-ext` leaves it out. */
  readonly signedExt: string
}

/** Tells whether a claim is one of `oauthMac`, whose `ext` and `timestamp` can then be read. */
export function isOauthMacClaim(claim: Claim): claim is OauthMacClaim {
  return claim.scheme === schemeName && 'sentNonce' in claim
}
