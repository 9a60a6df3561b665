import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareCodePoints } from './code-point-order.ts'

describe('compareCodePoints', () => {
  it('puts U+FF5E before U+1F600, which the order of UTF-16 units does not', () => {
    expect(compareCodePoints('\uff5e', '\u{1f600}')).toBeLessThan(0)
    expect('\uff5e' < '\u{1f600}').toBe(false)
  })

  it('puts a text in front of those it begins', () => {
    expect(compareCodePoints('', 'a')).toBeLessThan(0)
    expect(compareCodePoints('ab', 'a')).toBeGreaterThan(0)
    expect(compareCodePoints('a', 'a')).toBe(0)
  })

  it('orders well-formed texts as their UTF-8 bytes are ordered', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
        fc.constant('b'),
      ),
      maxLength: 6,
    })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      { numRuns: 2000 },
    )
  })
})
