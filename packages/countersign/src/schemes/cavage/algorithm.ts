/** Algorithms by their name in the drafts and in implementations. `hs2019` names none: it leaves the choice to the key. */
const rowsByName: ReadonlyMap<string, string> = new Map([
  ['hmac-sha256', 'hmac-sha256'],
  ['hmac-sha384', 'hmac-sha384'],
  ['hmac-sha512', 'hmac-sha512'],
  ['hmac-sha1', 'hmac-sha1'],
  ['rsa-sha256', 'rsa-v1_5-sha256'],
  ['rsa-sha512', 'rsa-v1_5-sha512'],
  ['rsa-sha1', 'rsa-v1_5-sha1'],
  ['ecdsa-sha256', 'ecdsa-p256-sha256'],
  ['ed25519', 'ed25519'],
  ['ed25519-sha512', 'ed25519'],
])

/** Name that a signer writes where there are two; `ed25519-sha512` is what implementations before draft 11 know. */
const namesByRow: ReadonlyMap<string, string> = new Map([...rowsByName].map(([name, row]) => [row, name]))

/** Rows that this scheme may use. The first of each kind of key is the default, as implementations have it for `hs2019`. */
export const algorithms: readonly string[] = [
  'hmac-sha256',
  'hmac-sha512',
  'hmac-sha384',
  'hmac-sha1',
  'rsa-v1_5-sha256',
  'rsa-v1_5-sha512',
  'rsa-pss-sha512',
  'rsa-v1_5-sha1',
  'ecdsa-p256-sha256',
  'ecdsa-p384-sha384',
  'ed25519',
]

/** Those that a server of Flask-Cavage knows. */
export const flaskAlgorithms: readonly string[] = [
  'hmac-sha256',
  'hmac-sha512',
  'hmac-sha1',
  'rsa-v1_5-sha256',
  'rsa-v1_5-sha512',
  'rsa-v1_5-sha1',
]

/** Gives the row that a message names; `undefined` where it leaves the choice to the key; the text itself where it is no name. */
export function rowNamed(text: string | undefined, isFlask: boolean): string | undefined {
  if (text === undefined || (text === 'hs2019' && !isFlask)) return undefined
  // An unknown name is no row, so that it confirms no algorithm.
  return rowsByName.get(text) ?? `unknown: ${text}`
}

/** Gives the name of a row, or `undefined` where it has none but `hs2019`. */
export function nameOf(row: string): string | undefined {
  return namesByRow.get(row)
}

/** Tells whether a name is of the kind that drafts 11 and 12 do not allow beside `(created)` and `(expires)`. Section 2.3. */
export function isOldName(text: string): boolean {
  return /^(?:rsa|hmac|ecdsa)/i.test(text)
}
