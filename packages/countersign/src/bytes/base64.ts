const standard = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const urlSafe = `${standard.slice(0, 62)}-_`

function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1)
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  return values
}

const standardValues = valuesOf(standard)
const urlSafeValues = valuesOf(urlSafe)

/** Encodes bytes as base64 with padding. RFC 4648 section 4. */
export function base64Encode(bytes: Uint8Array): string {
  return encode(bytes, standard, true)
}

/** Encodes bytes as URL-safe base64 without padding. RFC 4648 section 5. */
export function base64urlEncode(bytes: Uint8Array): string {
  return encode(bytes, urlSafe, false)
}

/**
 * Decodes canonical base64 with padding. Gives `undefined` for anything else: white space, the URL-safe
 * alphabet, missing padding, or set bits behind the last byte (RFC 4648 section 3.5), so that one value has one spelling.
 */
export function base64Decode(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  let end = text.length
  if (end > 0 && text.charCodeAt(end - 1) === 61) end -= text.charCodeAt(end - 2) === 61 ? 2 : 1
  return decode(text, end, standardValues)
}

/** Decodes canonical URL-safe base64 without padding, as strictly as `base64Decode`. */
export function base64urlDecode(text: string): Uint8Array | undefined {
  return decode(text, text.length, urlSafeValues)
}

/** Tells whether text is canonical padded base64, without decoding it. */
export function isBase64(text: string): boolean {
  const length = text.length
  if (length % 4 !== 0) return false
  let end = length
  if (end > 0 && text.charCodeAt(end - 1) === 61) end -= text.charCodeAt(end - 2) === 61 ? 2 : 1
  let value = 0
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    value = code < 128 ? (standardValues[code] ?? -1) : -1
    if (value < 0) return false
  }
  const padding = length - end
  return padding === 0 || (padding === 1 ? (value & 3) === 0 : (value & 15) === 0)
}

function encode(bytes: Uint8Array, alphabet: string, padded: boolean): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i] ?? 0
    const b = bytes[i + 1] ?? 0
    const c = bytes[i + 2] ?? 0
    const left = bytes.length - i
    text += alphabet.charAt(a >> 2) + alphabet.charAt(((a & 3) << 4) | (b >> 4))
    if (left > 1) text += alphabet.charAt(((b & 15) << 2) | (c >> 6))
    else if (padded) text += '='
    if (left > 2) text += alphabet.charAt(c & 63)
    else if (padded) text += '='
  }
  return text
}

function decode(text: string, end: number, values: Int8Array): Uint8Array | undefined {
  if (end % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((end * 3) / 4))
  let bits = 0
  let pending = 0
  let at = 0
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? (values[code] ?? -1) : -1
    if (value < 0) return undefined
    pending = ((pending << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (pending >> bits) & 255
    }
  }
  return (pending & ((1 << bits) - 1)) === 0 ? bytes : undefined
}
