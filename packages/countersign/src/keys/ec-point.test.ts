import { ECDH } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isEcPointOnCurve } from './ec-point.ts'

describe.each([
  ['p256', 'prime256v1', 32],
  ['p384', 'secp384r1', 48],
] as const)('a point of %s', (kind, openssl, size) => {
  it('is on the curve where OpenSSL can draw it from x, and only with one of the two y', () => {
    let drawn = 0
    for (let n = 1; n <= 40; n++) {
      const x = Buffer.alloc(size)
      x[size - 1] = n
      const compressed = Buffer.concat([Buffer.of(2), x])
      let point: Buffer
      try {
        point = Buffer.from(ECDH.convertKey(compressed, openssl, undefined, undefined, 'uncompressed'))
      } catch {
        continue
      }
      drawn++
      const y = point.subarray(1 + size)
      expect(isEcPointOnCurve(kind, x, y)).toBe(true)
      for (let at = 0; at < size; at += 5) {
        expect(isEcPointOnCurve(kind, x, Buffer.from(y.map((byte, i) => (i === at ? byte ^ 1 : byte))))).toBe(
          false,
        )
      }
      expect(isEcPointOnCurve(kind, Buffer.from(x.map((byte, i) => (i === 0 ? 1 : byte))), y)).toBe(false)
    }
    expect(drawn).toBeGreaterThan(10)
  })

  it('is not at zero, and has coordinates under the prime', () => {
    expect(isEcPointOnCurve(kind, new Uint8Array(size), new Uint8Array(size))).toBe(false)
    expect(isEcPointOnCurve(kind, new Uint8Array(size).fill(0xff), new Uint8Array(size).fill(0xff))).toBe(
      false,
    )
  })
})

describe('a coordinate', () => {
  it('that is not reduced is refused, though it names a point of the curve', () => {
    // x = 5 is on P-256 (the test above draws it); 5 + p is the same number modulo p and fits into 32 bytes.
    const compressed = Buffer.from(`02${'5'.padStart(64, '0')}`, 'hex')
    const point = Buffer.from(ECDH.convertKey(compressed, 'prime256v1', undefined, undefined, 'uncompressed'))
    const prime = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
    const unreduced = Buffer.from((prime + 5n).toString(16).padStart(64, '0'), 'hex')
    const y = point.subarray(33)
    expect(isEcPointOnCurve('p256', point.subarray(1, 33), y)).toBe(true)
    expect(isEcPointOnCurve('p256', unreduced, y)).toBe(false)
  })
})
