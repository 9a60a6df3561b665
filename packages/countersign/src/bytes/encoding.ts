import { base64Decode, base64Encode, base64urlDecode, base64urlEncode } from './base64.ts'
import { hexDecode, hexEncode } from './hex.ts'

/** How bytes are written as text. `base64` has padding, `base64url` has none, `hex` is written in lower case. */
export type TextEncoding = 'hex' | 'base64' | 'base64url'

/** Writes bytes in each encoding. */
export const encoders: Readonly<Record<TextEncoding, (bytes: Uint8Array) => string>> = {
  hex: hexEncode,
  base64: base64Encode,
  base64url: base64urlEncode,
}

/** Reads each encoding strictly; gives `undefined` for what is not canonical. */
export const decoders: Readonly<Record<TextEncoding, (text: string) => Uint8Array | undefined>> = {
  hex: hexDecode,
  base64: base64Decode,
  base64url: base64urlDecode,
}
