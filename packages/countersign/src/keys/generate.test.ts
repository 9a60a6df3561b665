import { describe, expect, it } from 'vitest'
import { generateKeyId, generateSecret } from './generate.ts'

describe('generateSecret', () => {
  it('gives 32 bytes unless told otherwise, never the same', () => {
    expect(generateSecret()).toHaveLength(32)
    expect(generateSecret(64)).toHaveLength(64)
    expect(new Set(Array.from({ length: 100 }, () => generateSecret().join())).size).toBe(100)
  })

  it('refuses lengths that are too short, too long or no number of bytes', () => {
    for (const length of [0, 15, 16.5, 1025, -32, Number.NaN]) {
      expect(() => generateSecret(length)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    }
  })
})

describe('generateKeyId', () => {
  it('gives the prefix and 16 characters that every scheme can carry, never the same', () => {
    const ids = Array.from({ length: 1000 }, () => generateKeyId())
    for (const id of ids) expect(id).toMatch(/^key_[2-9a-km-np-z]{16}$/)
    expect(new Set(ids).size).toBe(1000)
    expect(generateKeyId('billing')).toMatch(/^billing_/)
  })

  it('uses every character of its alphabet about equally often', () => {
    const counts = new Map<string, number>()
    const ids = 4000
    for (let i = 0; i < ids; i++) {
      for (const character of generateKeyId().slice(4))
        counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    expect(counts.size).toBe(32)
    const wanted = (ids * 16) / 32
    // Six standard deviations.
    for (const count of counts.values()) expect(Math.abs(count - wanted)).toBeLessThan(6 * Math.sqrt(wanted))
  })

  it('refuses prefixes that some scheme could not carry', () => {
    for (const prefix of ['', ' ', 'a b', 'a:b', 'ключ', 'a"', 'x'.repeat(65)]) {
      expect(() => generateKeyId(prefix)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    }
  })
})
