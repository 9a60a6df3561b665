import { describe, expect, it } from 'vitest'
import { requestMessage } from '../message/message.ts'
import type { Warning } from '../reasons/warnings.ts'
import type { Claim, SchemeTraits } from '../schemes/scheme.ts'
import { checkCoverage } from './coverage.ts'
import type { Policy } from './policy.ts'
import { rulesFrom } from './rules.ts'

const traits: SchemeTraits = {
  time: true,
  nonce: true,
  chosenCoverage: false,
  bodyInBase: false,
  uncovered: ['content'],
}
const message = requestMessage({ method: 'POST', url: 'https://api.example.com/orders', body: 'x' })

function outcome(policy: Policy, warnings: readonly Warning[] | undefined): string {
  const claim: Claim = {
    scheme: 'old',
    keyId: 'alice',
    algorithm: undefined,
    covers: ['@method', '@target-uri'],
    createdAt: 0,
    expiresAt: undefined,
    nonce: undefined,
    tag: undefined,
    label: undefined,
    signature: '',
    contentDigest: undefined,
    warnings,
  }
  return checkCoverage(message, claim, traits, rulesFrom(policy))?.reason ?? 'ok'
}

describe('content that is not covered', () => {
  it('passes where the scheme has no means to cover it and says so, unless the policy asks for a digest', () => {
    expect(outcome({}, ['content-uncovered'])).toBe('ok')
    expect(outcome({ digest: 'if-covered' }, ['content-uncovered'])).toBe('ok')
    expect(outcome({ digest: 'required' }, ['content-uncovered'])).toBe('digest-missing')
  })

  it('is refused where the scheme could have covered it', () => {
    expect(outcome({}, undefined)).toBe('digest-missing')
    expect(outcome({}, ['replayable'])).toBe('digest-missing')
    expect(outcome({ digest: 'if-covered' }, undefined)).toBe('ok')
  })
})
