import { timingSafeEqual } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalBytes, equalText, safeEqual } from './equal.ts'

const short = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\u0100'), maxLength: 4 })

describe('equalText', () => {
  it('agrees with === on every pair of texts', () => {
    fc.assert(
      fc.property(short, short, (given, right) => {
        expect(equalText(given, right)).toBe(given === right)
      }),
      { numRuns: 2000 },
    )
  })

  it('sees a difference at every place of a MAC', () => {
    const mac = 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='
    expect(equalText(mac, mac)).toBe(true)
    for (let i = 0; i < mac.length; i++) {
      const other = `${mac.slice(0, i)}${mac.charAt(i) === 'x' ? 'y' : 'x'}${mac.slice(i + 1)}`
      expect(equalText(other, mac)).toBe(false)
    }
  })

  it.each([
    ['nothing', ''],
    ['the first character', 'r'],
    ['all but the last character', 'righ'],
    ['one character more', 'right!'],
    ['a NUL behind', 'right\0'],
    ['the text twice', 'rightright'],
  ])('is false for %s', (_what, given) => {
    expect(equalText(given, 'right')).toBe(false)
    expect(equalText('right', given)).toBe(false)
  })
})

describe('equalBytes', () => {
  it('agrees with timingSafeEqual where the lengths are the same, and is false where they are not', () => {
    const bytes = fc.uint8Array({ max: 2, maxLength: 4 })
    fc.assert(
      fc.property(bytes, bytes, (given, right) => {
        expect(equalBytes(given, right)).toBe(given.length === right.length && timingSafeEqual(given, right))
      }),
      { numRuns: 2000 },
    )
  })

  it('is false for a prefix, for a zero byte more, and for nothing', () => {
    const right = Uint8Array.of(1, 2, 0)
    for (const given of [Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0, 0), new Uint8Array()]) {
      expect(equalBytes(given, right)).toBe(false)
      expect(equalBytes(right, given)).toBe(false)
    }
  })
})

describe('safeEqual', () => {
  it('3.02 compares texts with texts and bytes with bytes, as Node does', () => {
    const bytes = fc.uint8Array({ maxLength: 4 })
    fc.assert(
      fc.property(bytes, bytes, (given, right) => {
        const same = given.length === right.length && timingSafeEqual(given, right)
        expect(safeEqual(given, right)).toBe(same)
        expect(safeEqual(String(given), String(right))).toBe(same)
      }),
    )
    expect(safeEqual('', new Uint8Array(0))).toBe(false)
    expect(safeEqual(new Uint8Array(0), '')).toBe(false)
  })
})
