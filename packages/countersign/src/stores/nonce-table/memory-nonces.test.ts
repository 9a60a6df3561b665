import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SettableClock, settableClock } from '../../testing/clock.ts'
import { memoryNonces } from '../memory.ts'

const start = 1_800_000_000

/** What `memoryNonces` promises, in the plainest way: a Map, swept in full at every call. */
function modelNonces(limit: number, clock: SettableClock) {
  const ends = new Map<string, number>()
  let forgottenThrough = Number.NEGATIVE_INFINITY
  return (token: string, expiresAt: number): string => {
    for (const [held, end] of ends) {
      if (end >= clock()) continue
      ends.delete(held)
      forgottenThrough = Math.max(forgottenThrough, end)
    }
    if (ends.has(token)) return 'seen'
    if (expiresAt <= forgottenThrough) return 'too old'
    if (ends.size >= limit) return 'full'
    ends.set(token, expiresAt < clock() ? clock() + 60 : expiresAt)
    return 'fresh'
  }
}

function answerOf(record: () => string): string {
  try {
    return record()
  } catch (failure) {
    return String(failure).includes('full') ? 'full' : 'too old'
  }
}

const token = fc.integer({ min: 0, max: 250 }).map((i) => `7.7:rfc9421billing${i}`)
const call = fc.record({ token, ahead: fc.integer({ min: -90, max: 400 }) })
const move = fc.record({
  seconds: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 90 }) },
    { weight: 2, arbitrary: fc.integer({ min: -90, max: -1 }) },
    { weight: 1, arbitrary: fc.constantFrom(-10_000, -700, 700, 10_000, 50_000_000) },
  ),
})
const history = fc.array(fc.oneof({ weight: 12, arbitrary: call }, { weight: 1, arbitrary: move }), {
  maxLength: 600,
})

describe('memoryNonces against a plain Map', () => {
  for (const limit of [1, 20, 180, 20_000]) {
    it(`answers as the model does, whatever the clock does, with a limit of ${limit}`, () => {
      fc.assert(
        fc.property(history, (steps) => {
          const clock = settableClock(start)
          const store = memoryNonces({ limit, clock })
          const model = modelNonces(limit, clock)
          for (const step of steps) {
            if ('seconds' in step) {
              clock.advance(step.seconds)
              continue
            }
            const expiresAt = clock() + step.ahead
            const wanted = model(step.token, expiresAt)
            expect(answerOf(() => store.record(step.token, expiresAt))).toBe(wanted)
          }
        }),
        { numRuns: 120 },
      )
    })
  }

  it('never gives fresh twice for one message, whatever the clock does', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const clock = settableClock(start)
        const { record } = memoryNonces({ clock })
        const taken = new Set<string>()
        for (const step of steps) {
          if ('seconds' in step) {
            clock.advance(step.seconds)
            continue
          }
          // A message carries its token and its times: the same token comes with the same end.
          const expiresAt = start + step.ahead * 10
          if (answerOf(() => record(step.token, expiresAt)) !== 'fresh') continue
          expect(taken).not.toContain(`${step.token} ${expiresAt}`)
          taken.add(`${step.token} ${expiresAt}`)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('memoryNonces', () => {
  it('remembers every one of 100,000 tokens while it grows', () => {
    const { record } = memoryNonces({ limit: 100_000, clock: settableClock(start) })
    for (const wanted of ['fresh', 'seen']) {
      for (let i = 0; i < 100_000; i++) {
        const got = record(`token ${i}`, start + 300)
        if (got !== wanted) expect.fail(`token ${i}: ${got}`)
      }
    }
  })

  it('refuses with store-failed when full, forgets no live token for it, and recovers when tokens end', () => {
    const clock = settableClock(start)
    const { record } = memoryNonces({ limit: 1000, clock })
    for (let i = 0; i < 1000; i++) expect(record(`token ${i}`, start + (i < 10 ? 100 : 300))).toBe('fresh')
    for (let i = 0; i < 100; i++) {
      expect(() => record(`one more ${i}`, start + 300)).toThrow(
        expect.objectContaining({ code: 'store-failed', message: expect.stringContaining('1000 live') }),
      )
    }
    for (let i = 0; i < 1000; i++) expect(record(`token ${i}`, start + 300)).toBe('seen')
    clock.advance(101)
    for (let i = 0; i < 10; i++) expect(record(`one more ${i}`, start + 300)).toBe('fresh')
    expect(() => record('one too many', start + 300)).toThrow('full')
  })

  it('still knows a token when it is full', () => {
    const { record } = memoryNonces({ limit: 1, clock: settableClock(start) })
    expect(record('token', start + 300)).toBe('fresh')
    expect(record('token', start + 300)).toBe('seen')
  })

  it('keeps a token through its last second and takes it anew in the next', () => {
    const clock = settableClock(start)
    const { record } = memoryNonces({ clock })
    record('token', start + 300)
    clock.set(start + 300)
    expect(record('token', start + 700)).toBe('seen')
    clock.set(start + 301)
    expect(record('token', start + 700)).toBe('fresh')
    expect(record('token', start + 700)).toBe('seen')
  })

  it('forgets second by second where every second has a token that ends with it', () => {
    const clock = settableClock(start)
    const { record } = memoryNonces({ clock })
    for (let second = 0; second < 400; second++) record(`token ${second}`, start + second)
    for (let second = 0; second < 400; second++) {
      clock.set(start + second)
      expect(record(`token ${second}`, start + 2000)).toBe('seen')
      if (second > 0) expect(record(`token ${second - 1}`, start + 1000)).toBe('fresh')
    }
  })

  it('finds tokens that stand behind others that have ended', () => {
    const clock = settableClock(start)
    for (let round = 0; round < 20; round++) {
      clock.set(start)
      const { record } = memoryNonces({ clock, limit: 4096 })
      for (let i = 0; i < 2000; i++) record(`token ${i}`, start + (i % 2 === 0 ? 100 : 300))
      clock.set(start + 101)
      for (let i = 1; i < 2000; i += 2) expect(record(`token ${i}`, start + 300)).toBe('seen')
    }
  })

  it('takes a part of a second as the whole of it', () => {
    const clock = settableClock(start)
    const { record } = memoryNonces({ clock })
    record('token', start + 9.2)
    clock.set(start + 10)
    expect(record('token', start + 9.2)).toBe('seen')
  })

  it('works under a clock that is years away from that of the verifier', () => {
    for (const now of [50, 1_336_363_200, 4_000_000_000, 90_000_000_000]) {
      const { record } = memoryNonces({ clock: settableClock(start) })
      for (const token of ['a', 'b', 'c']) {
        expect(record(token, now + 300)).toBe('fresh')
        expect(record(token, now + 300)).toBe('seen')
      }
    }
  })

  it('refuses to guess after the clock was set back, and says so', () => {
    const clock = settableClock(start)
    const { record } = memoryNonces({ clock })
    record('token', start + 300)
    clock.advance(3600)
    record('other', start + 3900)
    clock.set(start)
    expect(() => record('token', start + 300)).toThrow(
      expect.objectContaining({ code: 'store-failed', message: expect.stringContaining('clock') }),
    )
    expect(record('other', start + 3900)).toBe('seen')
    expect(record('later', start + 301)).toBe('fresh')
  })

  it('goes on after a jump of the clock over years, without going through every second of them', () => {
    const clock = settableClock(start)
    const { record } = memoryNonces({ clock })
    for (let i = 0; i < 1000; i++) record(`token ${i}`, start + i)
    clock.advance(900_000_000)
    expect(record('token 1', clock() + 300)).toBe('fresh')
    expect(record('token 1', clock() + 300)).toBe('seen')
  })

  it('refuses options and instants that cannot work', () => {
    for (const limit of [0, -1, 1.5, 100_000_001, Number.NaN]) {
      expect(() => memoryNonces({ limit })).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    }
    const { record } = memoryNonces()
    expect(() => record('token', Number.NaN)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    expect(record('for ever', Number.POSITIVE_INFINITY)).toBe('fresh')
    expect(record('for ever', Number.POSITIVE_INFINITY)).toBe('seen')
  })
})
