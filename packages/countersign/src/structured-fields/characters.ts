const digits = '0123456789'
const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = lower.toUpperCase()

/** Class of characters that may start a key. RFC 9651 section 3.1.2. */
export const keyStart = 1
/** Class of characters that may follow in a key. */
export const keyRest = 2
/** Class of characters that may start a token. RFC 9651 section 3.3.4. */
export const tokenStart = 4
/** Class of characters that may follow in a token: tchar of RFC 9110 section 5.6.2, `:` and `/`. */
export const tokenRest = 8

const classes = new Uint8Array(128)
for (const [bit, members] of [
  [keyStart, `${lower}*`],
  [keyRest, `${lower}${digits}_-.*`],
  [tokenStart, `${lower}${upper}*`],
  [tokenRest, `${lower}${upper}${digits}!#$%&'*+-.^_\`|~:/`],
] as const) {
  for (let i = 0; i < members.length; i++) {
    const code = members.charCodeAt(i)
    classes[code] = (classes[code] ?? 0) | bit
  }
}

/** Tells whether a character code is of a class. Codes outside ASCII, -1 and NaN are of none. */
export function isOf(characterClass: number, code: number): boolean {
  return code >= 0 && code < 128 && ((classes[code] ?? 0) & characterClass) !== 0
}

/** Tells whether text is a key of a dictionary or of parameters. RFC 9651 section 3.1.2. */
export function isKey(text: string): boolean {
  return isOf(keyStart, text.charCodeAt(0)) && isAllOf(keyRest, text)
}

/** Tells whether text is a token. RFC 9651 section 3.3.4. */
export function isToken(text: string): boolean {
  return isOf(tokenStart, text.charCodeAt(0)) && isAllOf(tokenRest, text)
}

function isAllOf(characterClass: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isOf(characterClass, text.charCodeAt(i))) return false
  return true
}
