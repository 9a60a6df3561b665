import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode, hexValue } from './hex.ts'

const bytes = fc.uint8Array({ maxLength: 100 })
const digest = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

describe('hexEncode', () => {
  it('writes what Buffer writes', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        expect(hexEncode(given)).toBe(Buffer.from(given).toString('hex'))
      }),
    )
  })
})

describe('hexDecode', () => {
  it('reads back what was written, in either case', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        expect(hexDecode(hexEncode(given))).toEqual(given)
        expect(hexDecode(hexEncode(given).toUpperCase())).toEqual(given)
      }),
    )
  })

  it('takes exactly the texts that Buffer reads to their end', () => {
    const nearHex = fc.string({ unit: fc.constantFrom(...'0189afAFgG zé\u0130\u0661'), maxLength: 8 })
    fc.assert(
      fc.property(nearHex, (text) => {
        const read = Buffer.from(text, 'hex')
        const isWhole = read.toString('hex') === text.toLowerCase()
        expect(hexDecode(text)).toEqual(isWhole ? new Uint8Array(read) : undefined)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['junk behind a whole digest', `${digest}zz`],
    ['junk in front of a whole digest', `zz${digest}`],
    ['an odd length', digest.slice(1)],
    ['a blank', `${digest.slice(2)} 0`],
    ['a line feed', `${digest}\n0`],
    ['a prefix', `0x${digest.slice(2)}`],
    ['a letter beyond ASCII', `${digest.slice(2)}é0`],
    ['a fullwidth digit', `${digest.slice(2)}\uff110`],
    ['an emoji', `${digest.slice(2)}\u{1f600}`],
  ])('refuses %s and decodes nothing of it', (_what, text) => {
    expect(hexDecode(text)).toBeUndefined()
  })

  it('keeps a short digest short, so that a length check can see it', () => {
    expect(hexDecode(digest.slice(2))).toHaveLength(31)
  })
})

describe('hexValue', () => {
  it('knows the digits of both cases and nothing else', () => {
    for (let code = 0; code < 0x200; code++) {
      const digit = String.fromCharCode(code)
      expect(hexValue(code)).toBe(/^[0-9a-fA-F]$/.test(digit) ? Number.parseInt(digit, 16) : -1)
    }
    expect(hexValue(Number.NaN)).toBe(-1)
  })
})
