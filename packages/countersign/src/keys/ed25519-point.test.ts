import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../bytes/hex.ts'
import { isNonCanonicalPoint, isPointOnCurve, isSmallOrderPoint } from './ed25519-point.ts'

// Arithmetic of RFC 8032 section 5.1 and 6 on its own, to find the points of small order instead of trusting a list.
const p = 2n ** 255n - 19n
const mod = (n: bigint): bigint => ((n % p) + p) % p

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let factor = mod(base)
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = mod(result * factor)
    factor = mod(factor * factor)
  }
  return result
}

const inverse = (n: bigint): bigint => power(n, p - 2n)
const d = mod(-121665n * inverse(121666n))

type Point = readonly [x: bigint, y: bigint]

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const k = mod(d * x1 * x2 * y1 * y2)
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + k)), mod((y1 * y2 + x1 * x2) * inverse(mod(1n - k)))]
}

/** x for a y, or `undefined` where there is none; the square root of RFC 8032 section 5.1.3. */
function xOf(y: bigint): bigint | undefined {
  const square = mod((y * y - 1n) * inverse(mod(d * y * y + 1n)))
  let x = power(square, (p + 3n) / 8n)
  if (mod(x * x - square) !== 0n) x = mod(x * power(2n, (p - 1n) / 4n))
  return mod(x * x - square) === 0n ? x : undefined
}

function timesEight(point: Point): Point {
  const twice = add(point, point)
  const fourTimes = add(twice, twice)
  return add(fourTimes, fourTimes)
}

function encode(y: bigint, sign: 0 | 1): Uint8Array {
  const bytes = hexDecode(y.toString(16).padStart(64, '0'))?.reverse() ?? new Uint8Array(32)
  bytes[31] = (bytes[31] ?? 0) | (sign << 7)
  return bytes
}

/** Every y below 2^255 of a point whose order divides 8, from any point of full order: times the order of the base. */
function smallOrderYs(): bigint[] {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const found = new Set<bigint>()
  for (let y = 2n; found.size < 5; y++) {
    const x = xOf(y)
    if (x === undefined) continue
    let torsion: Point = [0n, 1n]
    let doubled: Point = [x, y]
    for (let left = order; left > 0n; left >>= 1n) {
      if (left & 1n) torsion = add(torsion, doubled)
      doubled = add(doubled, doubled)
    }
    let multiple: Point = [0n, 1n]
    for (let i = 0; i < 8; i++) {
      found.add(multiple[1])
      multiple = add(multiple, torsion)
    }
  }
  return [...found].flatMap((y) => (y + p < 2n ** 255n ? [y, y + p] : [y]))
}

describe('Ed25519 points', () => {
  it('of small order are known in all of their 14 encodings, found by arithmetic', () => {
    const encodings = smallOrderYs().flatMap((y) => [encode(y, 0), encode(y, 1)])
    expect(new Set(encodings.map(hexEncode)).size).toBe(14)
    for (const encoding of encodings) expect(isSmallOrderPoint(encoding)).toBe(true)
  })

  it('of a larger order are not taken for points of small order', () => {
    let seen = 0
    for (let y = 2n; seen < 20; y++) {
      const x = xOf(y)
      if (x === undefined) continue
      seen++
      expect(timesEight([x, y])).not.toEqual([0n, 1n])
      for (const sign of [0, 1] as const) expect(isSmallOrderPoint(encode(y, sign))).toBe(false)
    }
  })

  it('are on the curve exactly where there is an x', () => {
    const verdicts = new Set<boolean>()
    for (let y = 0n; y < 30n; y++) {
      const expected = xOf(y) !== undefined
      verdicts.add(expected)
      expect(isPointOnCurve(encode(y, 1))).toBe(expected)
    }
    expect(verdicts.size).toBe(2)
  })

  it('are not canonical where y is the prime or more', () => {
    for (let y = p - 3n; y < p + 19n; y++) {
      expect(isNonCanonicalPoint(encode(y, 0))).toBe(y >= p)
      expect(isNonCanonicalPoint(encode(y, 1))).toBe(y >= p)
    }
    expect(isNonCanonicalPoint(encode(p - 256n, 0))).toBe(false)
    expect(isNonCanonicalPoint(encode(2n ** 254n, 0))).toBe(false)
  })

  it('are left as they were, also in a Buffer, whose slice is a window', () => {
    const point = Buffer.from(encode(5n, 1))
    isSmallOrderPoint(point)
    isNonCanonicalPoint(point)
    isPointOnCurve(point)
    expect(hexEncode(point)).toBe(hexEncode(encode(5n, 1)))
  })
})
