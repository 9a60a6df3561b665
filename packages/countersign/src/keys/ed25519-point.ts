// Public points only: nothing here needs to run in constant time.
const prime = 2n ** 255n - 19n
// The curve constant d of RFC 8032 section 5.1.
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

// y of the points whose order divides 8: identity, order 2, order 4, and the two of order 8 (each with either sign of x).
const smallOrders: ReadonlySet<bigint> = new Set([
  1n,
  prime - 1n,
  0n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
])

/** Gives the y coordinate of an encoded point as it is written, not reduced. RFC 8032 section 5.1.2. */
function yOf(point: Uint8Array): bigint {
  let y = 0n
  for (let i = 31; i >= 0; i--) y = (y << 8n) | BigInt(i === 31 ? (point[i] ?? 0) & 0x7f : (point[i] ?? 0))
  return y
}

/**
 * Tells whether 32 bytes encode a point whose order divides 8, in any spelling that an implementation takes:
 * either sign bit, and y written with or without reduction. There are 14 such encodings.
 */
export function isSmallOrderPoint(point: Uint8Array): boolean {
  return smallOrders.has(yOf(point) % prime)
}

/** Tells whether y is not reduced modulo the prime, which RFC 8032 section 5.1.3 refuses and some implementations take. */
export function isNonCanonicalPoint(point: Uint8Array): boolean {
  return yOf(point) >= prime
}

/** Tells whether there is an x for the y of an encoded point: (y^2 - 1) / (d y^2 + 1) is a square. RFC 8032 section 5.1.3. */
export function isPointOnCurve(point: Uint8Array): boolean {
  const square = (yOf(point) * yOf(point)) % prime
  // A quotient is a square exactly when the product is; Euler's criterion tells.
  const product = ((square - 1n + prime) * (d * square + 1n)) % prime
  return product === 0n || power(product, (prime - 1n) / 2n) === 1n
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
