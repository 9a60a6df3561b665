import { describe, expect, it } from 'vitest'
import { settableClock } from './clock.ts'

describe('settableClock', () => {
  it('stands still until it is told otherwise', () => {
    const clock = settableClock(1_700_000_000)
    expect([clock(), clock()]).toEqual([1_700_000_000, 1_700_000_000])
    clock.advance(30)
    expect(clock()).toBe(1_700_000_030)
    clock.advance(-31)
    expect(clock()).toBe(1_699_999_999)
    clock.set(0)
    expect(clock()).toBe(0)
  })

  it('refuses milliseconds and fractions, which no clock of this library shows', () => {
    const invalid = expect.objectContaining({ code: 'config-invalid' })
    for (const at of [1_700_000_000_000, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => settableClock(at)).toThrow(invalid)
    }
    const clock = settableClock(1)
    expect(() => clock.advance(0.5)).toThrow(invalid)
    expect(clock()).toBe(1)
  })
})
