import { hexEncode } from '../bytes/hex.ts'

// Encodings of the points whose order divides 8, with the sign bit cleared. y = p and y = p + 1 are 0 and 1 again.
const smallOrders: ReadonlySet<string> = new Set([
  `01${'00'.repeat(31)}`,
  `ee${'ff'.repeat(30)}7f`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  `ed${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
])

// Public points only: nothing here needs to run in constant time.
const prime = 2n ** 255n - 19n
// The curve constant d of RFC 8032 section 5.1.
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/**
 * Tells whether 32 bytes encode a point whose order divides 8, in any spelling that an implementation takes:
 * either sign bit, and y written with or without reduction. There are 14 such encodings.
 */
export function isSmallOrderPoint(point: Uint8Array): boolean {
  return smallOrders.has(hexEncode(withoutSign(point)))
}

/** Tells whether y is not reduced modulo the prime, which RFC 8032 section 5.1.3 refuses and some implementations take. */
export function isNonCanonicalPoint(point: Uint8Array): boolean {
  // y >= 2^255 - 19: everything ones but the lowest byte, which is at least 0xed.
  return withoutSign(point).every((byte, i) => byte >= (i === 0 ? 0xed : i === 31 ? 0x7f : 0xff))
}

/**
 * Tells whether there is an x for the y of an encoded point: (y^2 - 1) / (d y^2 + 1) is a square. RFC 8032 section 5.1.3.
 * Takes about 1 ms, so it is for a key that is taken in, not for each use.
 */
export function isPointOnCurve(point: Uint8Array): boolean {
  const y = BigInt(`0x${hexEncode(withoutSign(point).reverse())}`)
  const square = (y * y) % prime
  // A quotient is a square exactly when the product is; Euler's criterion tells.
  const product = ((square - 1n + prime) * (d * square + 1n)) % prime
  return product === 0n || power(product, (prime - 1n) / 2n) === 1n
}

function withoutSign(point: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(point)
  bytes[31] = (bytes[31] ?? 0) & 0x7f
  return bytes
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let factor = base
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * factor) % prime
    factor = (factor * factor) % prime
  }
  return result
}
