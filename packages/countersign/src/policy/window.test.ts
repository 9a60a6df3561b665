import { describe, expect, it } from 'vitest'
import type { Claim, SchemeTraits } from '../schemes/scheme.ts'
import type { Policy } from './policy.ts'
import { rulesFrom } from './rules.ts'
import { checkWindow, rememberUntil } from './window.ts'

const now = 1_700_000_000
const rules = rulesFrom({ maxAgeSeconds: 100, skewSeconds: 10 })
const traits: SchemeTraits = {
  time: true,
  nonce: true,
  chosenCoverage: false,
  bodyInBase: false,
  uncovered: [],
}

function claimOf(createdAt: number | undefined): Claim {
  return {
    scheme: 'old',
    keyId: 'alice',
    algorithm: undefined,
    covers: [],
    createdAt,
    expiresAt: undefined,
    nonce: 'n',
    tag: undefined,
    label: undefined,
    signature: '',
    contentDigest: undefined,
  }
}

describe('a nonce is remembered', () => {
  it('as long as its signature may be accepted, and two skews more', () => {
    expect(rememberUntil(claimOf(now - 5), traits, rules, now)).toBe(now - 5 + 120)
    expect(rememberUntil(claimOf(undefined), traits, rules, now)).toBe(now + 120)
  })

  it('as long as the scheme says where nothing ages, and never for less than the policy', () => {
    const long = { ...traits, rememberSeconds: 86_400 }
    expect(rememberUntil(claimOf(undefined), long, rules, now)).toBe(now + 86_420)
    expect(rememberUntil(claimOf(now), long, rules, now)).toBe(now + 120)
    const short = { ...traits, rememberSeconds: 1 }
    expect(rememberUntil(claimOf(undefined), short, rules, now)).toBe(now + 120)
  })
})

describe('the time window', () => {
  const short = { ...traits, defaultWindow: { maxAgeSeconds: 5, skewSeconds: 2 } }
  const outcome = (createdAt: number, of: SchemeTraits, policy: Policy = {}): string =>
    checkWindow(claimOf(createdAt), of, rulesFrom(policy), now)?.reason ?? 'ok'

  it('is 300 seconds back and 30 ahead where neither policy nor scheme says, both ends included', () => {
    expect([now - 300, now + 30].map((at) => outcome(at, traits))).toEqual(['ok', 'ok'])
    expect([now - 301, now + 31].map((at) => outcome(at, traits))).toEqual([
      'created-stale',
      'created-in-future',
    ])
  })

  it('is that of the scheme where the policy does not say, each end on its own', () => {
    expect([now - 5, now + 2].map((at) => outcome(at, short))).toEqual(['ok', 'ok'])
    expect([now - 6, now + 3].map((at) => outcome(at, short))).toEqual(['created-stale', 'created-in-future'])
    expect([now - 60, now + 3].map((at) => outcome(at, short, { maxAgeSeconds: 60 }))).toEqual([
      'ok',
      'created-in-future',
    ])
    expect(outcome(now + 1, short, { skewSeconds: 0 })).toBe('created-in-future')
  })

  it('of a scheme is also how long its nonces are remembered', () => {
    expect(rememberUntil(claimOf(now), short, rulesFrom({}), now)).toBe(now + 5 + 2 * 2)
  })
})
