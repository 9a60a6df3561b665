import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokenHasher } from './token-hash.ts'

function hexOf(hash: (text: string, lanes: Int32Array) => void, text: string): string {
  const lanes = new Int32Array(4)
  hash(text, lanes)
  return Array.from(lanes, (lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('')
}

describe('tokenHasher', () => {
  it('gives one text one hash, and any other text another', () => {
    const hash = tokenHasher()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(hexOf(hash, a) === hexOf(hash, b)).toBe(a === b)
      }),
      { numRuns: 2000 },
    )
  })

  it('tells texts apart that differ only where words are filled up or halves are packed', () => {
    const hash = tokenHasher()
    const texts = ['', 'a', 'ab', 'abc', 'abcd', 'aaaa', 'aaa\u0161']
      .flatMap((text) =>
        ['', '\0', '\0\0', '\0\0\0', '\0\0\0\0'].flatMap((tail) => [text + tail, tail + text]),
      )
      .concat(['\u0100', '\0\u0001', '\u0001\0', '\u0101', '\u6161', 'aa', '\uffff', '\ud800', '\ufffd'])
    const distinct = new Set(texts)
    expect(new Set([...distinct].map((text) => hexOf(hash, text))).size).toBe(distinct.size)
  })

  it('hashes under a key of its own each time', () => {
    const hashes = Array.from({ length: 50 }, () => hexOf(tokenHasher(), 'one and the same'))
    expect(new Set(hashes).size).toBe(50)
  })

  it('spreads counted-up tokens evenly: every bit is set in about half of the hashes', () => {
    const hash = tokenHasher()
    const counts = new Array<number>(128).fill(0)
    const rounds = 20_000
    const lanes = new Int32Array(4)
    for (let i = 0; i < rounds; i++) {
      hash(`7.7:rfc9421billing${i}`, lanes)
      for (let bit = 0; bit < 128; bit++)
        counts[bit] = (counts[bit] ?? 0) + (((lanes[bit >> 5] ?? 0) >>> (bit & 31)) & 1)
    }
    // Six standard deviations of a fair coin: a false alarm in one of four million runs.
    const bound = 6 * Math.sqrt(rounds / 4)
    for (const count of counts) expect(Math.abs(count - rounds / 2)).toBeLessThan(bound)
  })

  it('changes about half of the bits with any one bit of the text', () => {
    const hash = tokenHasher()
    const text = '7.20:rfc9421billing-service-2026pPmX0vq1Gg6nqJ0f'
    const right = BigInt(`0x${hexOf(hash, text)}`)
    for (let i = 0; i < text.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const other =
          text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ (1 << bit)) + text.slice(i + 1)
        const flipped = (BigInt(`0x${hexOf(hash, other)}`) ^ right).toString(2).replaceAll('0', '').length
        expect(flipped).toBeGreaterThan(25)
        expect(flipped).toBeLessThan(103)
      }
    }
  })
})
