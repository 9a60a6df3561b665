import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64Decode, base64Encode, base64urlDecode, base64urlEncode, isBase64 } from './base64.ts'

const bytes = fc.uint8Array({ maxLength: 100 })
const nearBase64 = fc.string({
  unit: fc.constantFrom(...'ABYZabyz0189+/-_==\n é\u0100\u0141'),
  maxLength: 12,
})

describe('base64Encode and base64urlEncode', () => {
  it('write what Buffer writes', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        expect(base64Encode(given)).toBe(Buffer.from(given).toString('base64'))
        expect(base64urlEncode(given)).toBe(Buffer.from(given).toString('base64url'))
      }),
    )
  })
})

describe('base64Decode and base64urlDecode', () => {
  it('read back what was written', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        expect(base64Decode(base64Encode(given))).toEqual(given)
        expect(base64urlDecode(base64urlEncode(given))).toEqual(given)
      }),
    )
  })

  it('take exactly the texts that Buffer would write for what it reads in them', () => {
    fc.assert(
      fc.property(nearBase64, (text) => {
        const read = Buffer.from(text, 'base64')
        const isCanonical = read.toString('base64') === text
        expect(base64Decode(text)).toEqual(isCanonical ? new Uint8Array(read) : undefined)
        expect(isBase64(text)).toBe(isCanonical)
        const isUrlSafe = read.toString('base64url') === text
        expect(base64urlDecode(text)).toEqual(isUrlSafe ? new Uint8Array(read) : undefined)
      }),
      { numRuns: 2000 },
    )
  })

  it('take every canonical length of text, the empty one included', () => {
    expect(base64Decode('')).toEqual(new Uint8Array())
    expect(base64Decode('YQ==')).toEqual(new Uint8Array([97]))
    expect(base64Decode('YWI=')).toEqual(new Uint8Array([97, 98]))
    expect(base64Decode('YWJj')).toEqual(new Uint8Array([97, 98, 99]))
    expect(base64urlDecode('YQ')).toEqual(new Uint8Array([97]))
    expect(base64urlDecode('-_-_')).toEqual(new Uint8Array([251, 255, 191]))
  })

  it.each([
    ['set bits behind the last byte', 'YR=='],
    ['set bits behind the last two bytes', 'YWK='],
    ['a space inside', 'YW Jj'],
    ['a space in front', ' YWJj'],
    ['a line feed behind', 'YWJj\n'],
    ['a line feed that makes the length right', 'YWJ\n'],
    ['the URL-safe minus', 'YW-j'],
    ['the URL-safe underscore', 'YW_j'],
    ['one missing padding character', 'YQ='],
    ['all padding missing', 'YQ'],
    ['padding only', '===='],
    ['three padding characters', 'Y==='],
    ['padding in the middle', 'YQ==YWJj'],
    ['text behind the padding', 'YQ==x'],
    ['a letter beyond ASCII', 'YWJé'],
    ['a letter that looks like one of the alphabet modulo 256', 'YWJ\u0141'],
    ['a NUL', 'YWJ\0'],
  ])('refuse %s', (_what, text) => {
    expect(base64Decode(text)).toBeUndefined()
    expect(isBase64(text)).toBe(false)
  })

  it.each([
    ['padding', 'YQ=='],
    ['the standard plus', 'YW+j'],
    ['the standard slash', 'YW/j'],
    ['a length that no bytes have', 'YWJjY'],
    ['set bits behind the last byte', 'YR'],
    ['a line feed', 'YWJj\n'],
  ])('refuse %s in the URL-safe form', (_what, text) => {
    expect(base64urlDecode(text)).toBeUndefined()
  })
})
