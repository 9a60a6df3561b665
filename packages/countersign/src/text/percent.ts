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
  let at = spaced.indexOf('%')
  if (at < 0) return spaced
  // Escapes of ASCII, the usual ones, need no detour through bytes: 0.3 of the time.
  let decoded = ''
  let from = 0
  while (at >= 0) {
    const byte = escapedByte(spaced.charCodeAt(at + 1), spaced.charCodeAt(at + 2))
    if (byte > 127) return decodeBytes(utf8Encode(spaced))
    if (byte >= 0) {
      decoded += spaced.slice(from, at) + String.fromCharCode(byte)
      from = at + 3
    }
    at = spaced.indexOf('%', Math.max(from, at + 1))
  }
  return decoded + spaced.slice(from)
}

function decodeBytes(bytes: Uint8Array): string {
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] ?? 0
    if (byte === percent) {
      const escaped = escapedByte(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0)
      if (escaped >= 0) {
        byte = escaped
        i += 2
      }
    }
    // Decoding never lengthens, so the bytes read and the bytes written share one array.
    bytes[length++] = byte
  }
  return utf8DecodeLossy(bytes.subarray(0, length))
}

/** The byte that two characters behind a `%` stand for, or -1 where they are not two hex digits. */
function escapedByte(first: number, second: number): number {
  const high = hexValue(first)
  const low = hexValue(second)
  return high < 0 || low < 0 ? -1 : high * 16 + low
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
  const isBare = (code: number): boolean => code < 128 && written[code]?.length === 1
  return (text) => {
    let i = 0
    while (i < text.length && isBare(text.charCodeAt(i))) i++
    if (i === text.length) return text
    let encoded = text.slice(0, i)
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i)
      // Above ASCII a character is several bytes, and two surrogates are one character: the rest is encoded as bytes.
      if (code > 127) return encoded + encodeBytes(utf8Encode(text.slice(i)), written)
      encoded += written[code] ?? ''
    }
    return encoded
  }
}

function encodeBytes(bytes: Uint8Array, written: readonly string[]): string {
  let encoded = ''
  for (const byte of bytes) encoded += written[byte] ?? ''
  return encoded
}
