import { decoders, encoders } from '../../bytes/encoding.ts'
import { utf8Decode, utf8Encode } from '../../bytes/utf8.ts'
import type { MacForm, Settings } from './options.ts'

/** Most characters of a name. */
export const nameLimit = 256
// What the original's header can carry and its split at the colon leaves whole.
const isName = /^[\x20-\x39\x3b-\x7e]*$/
// Names of 256 characters with the longest HMAC, in base64 twice.
const valueLimit = 640

/** What a field value says: the name of the key, where it names one, and the HMAC as the claim has it. */
export interface SignatureValue {
  readonly name: string | undefined
  readonly mac: string
}

/** Reads a field value; gives a text that says what is wrong where it is not one. */
export function readValue(value: string, { wrapping, mac }: Settings): SignatureValue | string {
  if (wrapping === undefined) {
    const text = readMac(value, mac)
    return text === undefined ? wrongMac(mac) : { name: undefined, mac: text }
  }
  const unpadded =
    value.length > valueLimit ? undefined : wrapping === 'base64' ? value : withoutPadding(value)
  const bytes = unpadded === undefined ? undefined : decoders[wrapping](unpadded)
  const inner = bytes === undefined ? undefined : utf8Decode(bytes)
  if (inner === undefined) return `the value is not padded ${wrapping} of text`
  const colon = inner.indexOf(':')
  if (colon < 0) return 'the value does not name a key'
  const name = inner.slice(0, colon)
  if (!isKeyName(name)) return `the name of the key is not up to ${nameLimit} characters of ASCII`
  const text = readMac(inner.slice(colon + 1), mac)
  return text === undefined ? wrongMac(mac) : { name, mac: text }
}

/** Writes a field value. `padding: 'optional'` is written without, as the original does. */
export function writeValue(name: string, signature: string, { wrapping, mac }: Settings): string {
  const isPadded = mac.encoding === 'base64url' && mac.padding === 'required'
  const text = isPadded ? withPadding(signature) : signature
  if (wrapping === undefined) return text
  const wrapped = encoders[wrapping](utf8Encode(`${name}:${text}`))
  return wrapping === 'base64url' ? withPadding(wrapped) : wrapped
}

/** Tells whether a name can stand in front of the colon. Empty names were in use. */
export function isKeyName(name: string): boolean {
  return name.length <= nameLimit && isName.test(name)
}

/** Gives the HMAC in the one spelling of its encoding; `undefined` for any other text. */
function readMac(value: string, { encoding, padding, byteLength }: MacForm): string | undefined {
  const text =
    encoding !== 'base64url'
      ? value
      : padding === 'optional' && !value.endsWith('=')
        ? value
        : withoutPadding(value)
  if (text === undefined || (encoding === 'hex' && /[A-F]/.test(text))) return undefined
  // Bounds what is decoded: hex is the longest.
  if (text.length > 2 * byteLength) return undefined
  return decoders[encoding](text)?.length === byteLength ? text : undefined
}

function withPadding(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** Takes off exactly the padding that belongs to the text; `undefined` where it has another. */
function withoutPadding(padded: string): string | undefined {
  const end = padded.indexOf('=')
  const text = end < 0 ? padded : padded.slice(0, end)
  return padded.length <= text.length + 2 && padded === withPadding(text) ? text : undefined
}

function wrongMac({ encoding, padding, byteLength }: MacForm): string {
  const padded = encoding === 'base64url' && padding === 'required' ? ' with padding' : ''
  return `the HMAC is not ${byteLength} bytes in canonical ${encoding}${padded}`
}
