import { hexValue } from '../bytes/hex.ts'
import { utf8DecodeLossy, utf8Encode } from '../bytes/utf8.ts'

const percent = 37

/**
 * Decodes a name or value of a query as HTML forms write them: `+` is a space, `%XX` a byte, the bytes UTF-8.
 * Lenient, for schemes whose original was: a `%` without two hex digits stays as it is, and each malformed
 * UTF-8 sequence becomes U+FFFD, so different inputs can give one output. Linear in the input.
 * @see RFC 3986 section 2.1; application/x-www-form-urlencoded parsing in the WHATWG URL standard
 */
export function formDecode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  const bytes = utf8Encode(spaced)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] ?? 0
    if (byte === percent) {
      const high = hexValue(bytes[i + 1] ?? 0)
      const low = hexValue(bytes[i + 2] ?? 0)
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low
        i += 2
      }
    }
    // Decoding never lengthens, so the bytes read and the bytes written share one array.
    bytes[length++] = byte
  }
  return utf8DecodeLossy(bytes.subarray(0, length))
}

const unreserved = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'

/**
 * Makes an encoder: text as UTF-8, every byte as `%XX` in upper case but the unreserved characters (RFC 3986
 * section 2.3) and those of `alsoBare`, which is ASCII. A `%` is always encoded. Linear in the input.
 */
export function percentEncoder(alsoBare: string): (text: string) => string {
  const written: string[] = []
  for (let byte = 0; byte < 256; byte++) written.push(`%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
  for (const character of unreserved + alsoBare) written[character.charCodeAt(0)] = character
  return (text) => {
    let encoded = ''
    let from = 0
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      // Above ASCII a character is several bytes, and a pair of surrogates is one character: encode the rest as bytes.
      if (code > 127) return encoded + text.slice(from, i) + encodeBytes(utf8Encode(text.slice(i)), written)
      const one = written[code] ?? ''
      if (one.length === 1) continue
      encoded += text.slice(from, i) + one
      from = i + 1
    }
    return from === 0 ? text : encoded + text.slice(from)
  }
}

function encodeBytes(bytes: Uint8Array, written: readonly string[]): string {
  let encoded = ''
  for (const byte of bytes) encoded += written[byte] ?? ''
  return encoded
}
