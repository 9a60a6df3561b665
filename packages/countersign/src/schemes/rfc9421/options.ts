import type { StructuredType } from './reading.ts'

/** What `rfc9421` takes. All of it concerns signing; what a verifier requires is its policy. */
export interface Rfc9421Options {
  /**
   * Components to sign. Default `@method`, `@target-uri`, and with content `content-digest` and the `content-type` where there is one.
   * `content-digest` is made where it is listed. With parameters as serialised: `"cache-control";bs`.
   */
  readonly covers?: readonly string[]
  /** Structured types of your own fields, for components with `sf` or `key`. By lower-case name. RFC 9421 section 2.1.1. */
  readonly fieldTypes?: { readonly [lowerName: string]: StructuredType }
  /** Label of the signature. Default `sig1`. RFC 9421 section 4. */
  readonly label?: string
  /** Application tag. Default none. RFC 9421 section 2.3. */
  readonly tag?: string
  /** Seconds from creation to expiry. Default none: the verifier's window decides. 1 to 86400. */
  readonly expiresInSeconds?: number
  /** Whether to sign a fresh nonce of 128 bits. Default true. */
  readonly nonce?: boolean
  /** Whether to name the algorithm. Default false: the key decides it. */
  readonly alg?: boolean
}
