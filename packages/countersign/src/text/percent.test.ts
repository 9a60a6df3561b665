import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formDecode, percentEncoder } from './percent.ts'

interface Recorded {
  readonly decode: readonly (readonly [string, string])[]
  readonly encode: readonly (readonly [string, string])[]
}

const recorded: Recorded = JSON.parse(
  readFileSync(new URL('../../../../vectors/ustudio-hmac/python-urllib.json', import.meta.url), 'utf8'),
)

/**
 * The value that the URL parser of the runtime, which is not ours, reads from a form. Asked about ASCII alone: Node cuts
 * a raw character beyond it to one byte where malformed UTF-8 stands beside it. No request target holds such a character.
 */
function platformDecode(text: string): string | null {
  return new URLSearchParams(`name=${text}`).get('name')
}

describe('formDecode', () => {
  it('reads what Python reads, malformed escapes and malformed UTF-8 included', () => {
    expect(recorded.decode.length).toBeGreaterThan(100)
    for (const [given, read] of recorded.decode) expect(formDecode(given)).toBe(read)
  })

  it('reads what the URL parser of the runtime reads, for any ASCII input', () => {
    const piece = fc.oneof(
      fc.constantFrom('%', '%2', '%zz', '+', '%C3%AB', '%c3', '%F0%9F', '%ED%A0%80', '%00', '~', 'a', '='),
      fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`),
      fc.string({ unit: 'grapheme-ascii', maxLength: 3 }).filter((text) => !text.includes('&')),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join('')
        expect(formDecode(text)).toBe(platformDecode(text))
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps a percent sign that stands at the end', () => {
    expect(formDecode('100%')).toBe('100%')
    expect(formDecode('%4')).toBe('%4')
    expect(formDecode('%%41')).toBe('%A')
  })

  it('does not decode what it has decoded', () => {
    expect(formDecode('%2541')).toBe('%41')
    expect(formDecode('%2B%252B')).toBe('+%2B')
  })

  it('takes a megabyte of percent signs in its stride', () => {
    const text = '%'.repeat(1_000_000)
    expect(formDecode(text) === text).toBe(true)
    expect(formDecode('%ff'.repeat(300_000)).length).toBe(300_000)
  })
})

describe('percentEncoder', () => {
  it('writes what quote of Python writes', () => {
    const quote = percentEncoder('/')
    expect(recorded.encode.length).toBeGreaterThan(50)
    for (const [given, written] of recorded.encode) expect(quote(given)).toBe(written)
  })

  it('agrees with encodeURIComponent, told of its exceptions, for any well-formed text', () => {
    const encode = percentEncoder("!*'()")
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(encode(text)).toBe(encodeURIComponent(text))
      }),
      { numRuns: 2000 },
    )
  })

  it('encodes a percent sign and writes upper-case hex', () => {
    expect(percentEncoder('')('%2f/\n~')).toBe('%252f%2F%0A~')
  })

  it('is undone by formDecode', () => {
    const encode = percentEncoder('/')
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => formDecode(encode(text)) === text))
  })
})
