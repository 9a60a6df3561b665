/** Structured type of a field. RFC 9651 section 3. */
export type StructuredType = 'item' | 'list' | 'dictionary'

/** Structured types by lower-case field name. A field that is not listed cannot be covered with `sf` or `key`. */
export type StructuredTypes = ReadonlyMap<string, StructuredType>

/** What the values of components are read by. */
export interface Reading {
  readonly types: StructuredTypes
  /**
   * Longest signature base, in characters. All signatures of a message share one budget: else eight of them, each covering the
   * same long field, would cost ten times a good request.
   */
  readonly textLimit: number
}
