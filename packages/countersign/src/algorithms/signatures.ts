import type { HashName } from './hashes.ts'

/** What kind of key an algorithm takes. */
export type KeyKind = 'secret' | 'ed25519' | 'p256' | 'p384' | 'rsa'

/** One row of the algorithm table. Functions receive the row; nobody switches on names. */
export interface SignatureAlgorithm {
  /** Name in the HTTP Signature Algorithms registry (RFC 9421 section 6.2.2), or in that style where it has none. */
  readonly name: string
  readonly keyKind: KeyKind
  /** Hash of the MAC or signature; `undefined` for Ed25519, which hashes on its own. */
  readonly hash: HashName | undefined
  readonly padding?: 'pss' | 'pkcs1'
  /** `legacy` rows serve old schemes only. */
  readonly status: 'current' | 'legacy'
}

/** The algorithms in use, by name. RFC 9421 section 3.3. */
export const signatureAlgorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map(
  (
    [
      { name: 'hmac-sha256', keyKind: 'secret', hash: 'sha256', status: 'current' },
      { name: 'hmac-sha384', keyKind: 'secret', hash: 'sha384', status: 'current' },
      { name: 'hmac-sha512', keyKind: 'secret', hash: 'sha512', status: 'current' },
      { name: 'hmac-sha1', keyKind: 'secret', hash: 'sha1', status: 'legacy' },
      { name: 'ed25519', keyKind: 'ed25519', hash: undefined, status: 'current' },
      { name: 'ecdsa-p256-sha256', keyKind: 'p256', hash: 'sha256', status: 'current' },
      { name: 'ecdsa-p384-sha384', keyKind: 'p384', hash: 'sha384', status: 'current' },
      { name: 'rsa-pss-sha512', keyKind: 'rsa', hash: 'sha512', padding: 'pss', status: 'current' },
      { name: 'rsa-v1_5-sha256', keyKind: 'rsa', hash: 'sha256', padding: 'pkcs1', status: 'current' },
      { name: 'rsa-v1_5-sha512', keyKind: 'rsa', hash: 'sha512', padding: 'pkcs1', status: 'current' },
      { name: 'rsa-v1_5-sha1', keyKind: 'rsa', hash: 'sha1', padding: 'pkcs1', status: 'legacy' },
    ] satisfies SignatureAlgorithm[]
  ).map((row) => [row.name, row]),
)
