import { concatBytes } from '../bytes/concat.ts'
import { hexDecode, hexEncode } from '../bytes/hex.ts'
import { invalidKey } from './material.ts'

/** One element of DER. ITU-T X.690 section 10. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
}

/** Tags that stand in keys. */
export const derTag: Readonly<
  Record<'integer' | 'bitString' | 'octetString' | 'nothing' | 'oid' | 'sequence', number>
> = { integer: 0x02, bitString: 0x03, octetString: 0x04, nothing: 0x05, oid: 0x06, sequence: 0x30 }

/**
 * Takes bytes apart into the elements that stand in them one after another, at most 16.
 * Refuses as `key-invalid` what is BER and not DER: indefinite or overlong lengths, and tags of several bytes.
 */
export function readDer(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0
    let length = bytes[at + 1] ?? 0x80
    let start = at + 2
    if (length >= 0x80) {
      const sizeBytes = length - 0x80
      length = 0
      for (let i = 0; i < sizeBytes; i++) length = length * 256 + (bytes[start + i] ?? 0)
      start += sizeBytes
      // No key is longer than 64 KiB; the shortest form of a length is the only one (X.690 section 10.1).
      if (sizeBytes < 1 || sizeBytes > 2 || length < (sizeBytes === 1 ? 0x80 : 0x100)) throw broken()
    }
    const end = start + length
    if ((tag & 0x1f) === 0x1f || end > bytes.length || elements.length === 16) throw broken()
    elements.push({ tag, content: bytes.subarray(start, end) })
    at = end
  }
  return elements
}

/** Gives the elements of bytes that are one SEQUENCE and nothing more. */
export function readSequence(bytes: Uint8Array): readonly DerElement[] {
  const [first, ...more] = readDer(bytes)
  if (more.length > 0) throw broken()
  return readDer(contentOf(first, derTag.sequence))
}

/** Gives the content of an element that must be there and have this tag. */
export function contentOf(element: DerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw broken()
  return element.content
}

/** Gives the magnitude of an INTEGER that is not negative: big-endian, without leading zero bytes, at least one byte. */
export function integerOf(element: DerElement | undefined): Uint8Array {
  const content = contentOf(element, derTag.integer)
  const [first, second] = content
  if (first === undefined || first >= 0x80) throw broken()
  if (first !== 0 || second === undefined) return content
  if (second < 0x80) throw broken()
  return content.subarray(1)
}

/** Gives an OBJECT IDENTIFIER as the hex of its content. */
export function oidOf(element: DerElement | undefined): string {
  return hexEncode(contentOf(element, derTag.oid))
}

/** Gives the bytes of a BIT STRING of whole bytes. */
export function bitsOf(element: DerElement | undefined): Uint8Array {
  const content = contentOf(element, derTag.bitString)
  if (content[0] !== 0) throw broken()
  return content.subarray(1)
}

/** Writes one element of DER. Content up to 64 KiB. */
export function writeDer(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts)
  const length = content.length
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return concatBytes([Uint8Array.of(tag, ...size), content])
}

/** Writes an OBJECT IDENTIFIER from the hex of its content. */
export function writeOid(hex: string): Uint8Array {
  return writeDer(derTag.oid, [hexDecode(hex) ?? new Uint8Array()])
}

function broken(): Error {
  return invalidKey('the DER of the key is broken or not of the expected structure')
}
