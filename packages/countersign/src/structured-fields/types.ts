/**
 * A value on its own: that of an Item or of a parameter. RFC 9651 section 3.3.
 * `kind` keeps apart what shares a JavaScript type: `1` and `1.0`, `abc` and `"abc"`, `1` and `@1`.
 */
export type BareItem =
  /** Whole number of at most 15 digits. */
  | { readonly kind: 'integer'; readonly value: number }
  /** Number of at most 12 digits before the point and 3 after it. */
  | { readonly kind: 'decimal'; readonly value: number }
  /** Printable ASCII, without its quotes and escapes. */
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'token'; readonly value: string }
  | { readonly kind: 'byte-sequence'; readonly value: Uint8Array }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Whole seconds since the epoch, negative before it; at most 15 digits. */
  | { readonly kind: 'date'; readonly value: number }
  /** Any Unicode text. */
  | { readonly kind: 'display-string'; readonly value: string }

/** Bare items by key, in order. A Map, so that `__proto__` is a key like any other. RFC 9651 section 3.1.2. */
export type Parameters = ReadonlyMap<string, BareItem>

/** A bare item with its parameters, in one object: `item.kind`, `item.value`, `item.parameters`. RFC 9651 section 3.3. */
export type Item = BareItem & { readonly parameters: Parameters }

/** Items in parentheses, with parameters of its own. RFC 9651 section 3.1.1. */
export interface InnerList {
  readonly kind: 'inner-list'
  readonly items: readonly Item[]
  readonly parameters: Parameters
}

/** What a list or dictionary holds. */
export type Member = Item | InnerList

/** Members in order. RFC 9651 section 3.1. */
export type List = readonly Member[]

/** Members by key, in order. RFC 9651 section 3.2. */
export type Dictionary = ReadonlyMap<string, Member>

/** Parameters of an item that has none: empty, and shared, so its writing methods throw. */
export const noParameters: Parameters = readOnly(new Map<string, BareItem>())

// Object.freeze does not stop `set`, and a caller that casts the type away must not write into every item parsed later.
// Not enumerable, so that deep comparisons see an empty Map.
function readOnly<K, V>(map: Map<K, V>): ReadonlyMap<K, V> {
  const refuse = (): never => {
    throw new TypeError('these parameters are shared and cannot be changed')
  }
  for (const method of ['set', 'delete', 'clear']) Object.defineProperty(map, method, { value: refuse })
  return map
}
