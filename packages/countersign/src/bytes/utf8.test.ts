import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Decode, utf8DecodeLossy, utf8Encode } from './utf8.ts'

describe('utf8Encode', () => {
  it('writes what Buffer writes, lone surrogates included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', '\udc00'), (text, lone) => {
        expect(utf8Encode(text + lone)).toEqual(new Uint8Array(Buffer.from(text + lone)))
      }),
    )
  })
})

describe('utf8Decode', () => {
  it('takes exactly what Node holds for UTF-8, and reads it as Node does', () => {
    const nearUtf8 = fc.array(
      fc.constantFrom(0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0x82, 0xac, 0xed, 0xf4, 0xff),
    )
    fc.assert(
      fc.property(nearUtf8, (numbers) => {
        const bytes = Uint8Array.from(numbers)
        expect(utf8Decode(bytes)).toBe(isUtf8(bytes) ? Buffer.from(bytes).toString() : undefined)
        expect(utf8DecodeLossy(bytes)).toBe(Buffer.from(bytes).toString())
      }),
      { numRuns: 1000 },
    )
  })

  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Decode(utf8Encode(text))).toBe(text)
      }),
    )
  })

  it.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a sequence cut short', [0xe2, 0x82]],
    ['Latin-1', [0xe9]],
  ])('refuses %s', (_what, bytes) => {
    expect(utf8Decode(Uint8Array.from(bytes))).toBeUndefined()
  })

  it('keeps a byte order mark, which is covered like any other byte', () => {
    const bytes = Uint8Array.from([0xef, 0xbb, 0xbf, 0x41])
    expect(utf8Decode(bytes)).toBe('\ufeffA')
    expect(utf8DecodeLossy(bytes)).toBe('\ufeffA')
  })
})
