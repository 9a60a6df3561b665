import { describe, expect, it } from 'vitest'
import type { Claim, SchemeTraits } from '../schemes/scheme.ts'
import { rulesFrom } from './rules.ts'
import { rememberUntil } from './window.ts'

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
