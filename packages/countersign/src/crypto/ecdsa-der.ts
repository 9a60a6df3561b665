import { concatBytes } from '../bytes/concat.ts'

/**
 * Turns an ECDSA signature in DER, SEQUENCE { INTEGER r, INTEGER s }, into `r || s` of `coordinateBytes` each. Gives `undefined`
 * for whatever is not DER to the letter: other lengths, leading zeros, negative or overlong numbers, bytes behind. So each pair of
 * numbers has one form. RFC 3279 section 2.2.3, ITU-T X.690 section 10.
 */
export function ecdsaFromDer(der: Uint8Array, coordinateBytes: number): Uint8Array | undefined {
  // Two numbers of 48 bytes with a zero in front stay below 128, so every length is one byte.
  if (der.length > 127 || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined
  const signature = new Uint8Array(2 * coordinateBytes)
  let at = 2
  for (const end of [coordinateBytes, 2 * coordinateBytes]) {
    const length = der[at + 1] ?? 0
    const start = at + 2
    if (der[at] !== 0x02 || length < 1 || start + length > der.length) return undefined
    const first = der[start] ?? 0
    const isPadded = first === 0
    if (first >= 0x80 || (isPadded && length > 1 && (der[start + 1] ?? 0) < 0x80)) return undefined
    const magnitude = der.subarray(isPadded ? start + 1 : start, start + length)
    if (magnitude.length > coordinateBytes) return undefined
    signature.set(magnitude, end - magnitude.length)
    at = start + length
  }
  return at === der.length ? signature : undefined
}

/** Turns an ECDSA signature from `r || s` into DER. For curves of up to 384 bits. */
export function ecdsaToDer(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  const numbers = [integer(signature.subarray(0, half)), integer(signature.subarray(half))]
  const content = concatBytes(numbers)
  return concatBytes([Uint8Array.of(0x30, content.length), content])
}

function integer(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const magnitude = bytes.subarray(start)
  const sign = (magnitude[0] ?? 0) < 0x80 ? [] : [0]
  return concatBytes([Uint8Array.of(0x02, magnitude.length + sign.length, ...sign), magnitude])
}
