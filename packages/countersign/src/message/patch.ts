/** What a signer adds to a request: fields to set (replacing any of that name) and, in a few schemes, query parameters. */
export interface Patch {
  readonly set: readonly (readonly [name: string, value: string])[]
  /** Query to append, encoded, without `?` or `&` in front. */
  readonly query?: string
}
