/** Least coverage: component identifiers, for every method or by method (`*` for the others). */
export type Coverage = readonly string[] | { readonly [method: string]: readonly string[] }

/** What a verifier requires. Every field is optional; the defaults are strict. */
export interface Policy {
  /** Longest accepted age of a signature, in seconds. Default that of the scheme, usually 300; 0 to 86400. RFC 9421 section 7.2.2. */
  readonly maxAgeSeconds?: number
  /** Tolerated clock difference into the future, in seconds. Default that of the scheme, usually 30; 0 to 3600. */
  readonly skewSeconds?: number
  /**
   * Least coverage, for schemes whose signer chooses. Default `@method`, `@target-uri` (or its parts), and `content-digest`
   * where there is content. `[]` accepts any coverage. RFC 9421 section 7.2.1.
   */
  readonly covers?: Coverage
  /**
   * Default `required` where there is content, but of schemes that have no means to cover it: these warn with
   * `content-uncovered`, and are refused where the policy itself says `required`. A covered digest is always compared.
   */
  readonly digest?: 'required' | 'if-covered'
  /** Default `required` where the scheme carries a nonce and a store is given, else `ignored`. */
  readonly nonce?: 'required' | 'if-present' | 'ignored'
  /** Which of several signatures count. Default `any`: one acceptable signature must satisfy everything alone. */
  readonly signatures?: 'any' | 'all' | { readonly label: string } | { readonly tag: string }
  /** Names of allowed algorithms. Default: those of the scheme. */
  readonly algorithms?: readonly string[]
  /** `warn` and `observe` judge and let pass, `off` does not judge at all (loud in logs). Default `enforce`. */
  readonly mode?: 'enforce' | 'warn' | 'observe' | 'off'
  /** Bytes of body read for verification. Default 1 MiB. */
  readonly limitBytes?: number
}
