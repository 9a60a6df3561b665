import { type Refusal, refuse } from '../reasons/reasons.ts'
import type { Claim, SchemeTraits, TimeWindow } from '../schemes/scheme.ts'
import type { Rules } from './rules.ts'

const usualWindow: TimeWindow = { maxAgeSeconds: 300, skewSeconds: 30 }

/**
 * Refuses a claim outside its time window. Both ends are inclusive: `maxAgeSeconds` back, `skewSeconds` ahead, as the policy
 * says, else the scheme. Only times that the signature covers are looked at. RFC 9421 section 7.2.2.
 */
export function checkWindow(
  claim: Claim,
  traits: SchemeTraits,
  rules: Rules,
  now: number,
): Refusal | undefined {
  const { createdAt, expiresAt } = claim
  if (createdAt === undefined) {
    if (traits.time) return refuse('created-missing', 'the signature does not say when it was created')
  } else {
    const age = now - createdAt
    const { defaultWindow = usualWindow } = traits
    const { maxAgeSeconds = defaultWindow.maxAgeSeconds, skewSeconds = defaultWindow.skewSeconds } = rules
    if (age > maxAgeSeconds) {
      return refuse('created-stale', `created ${age} s ago, at most ${maxAgeSeconds} s are accepted`)
    }
    if (-age > skewSeconds) {
      return refuse('created-in-future', `created ${-age} s ahead, at most ${skewSeconds} s are accepted`)
    }
  }
  if (expiresAt !== undefined) {
    if (createdAt !== undefined && expiresAt < createdAt) {
      return refuse('signature-malformed', 'the signature expires before it was created')
    }
    if (now > expiresAt) return refuse('expired', `expired ${now - expiresAt} s ago`)
  }
  return undefined
}

/**
 * Until when a claim's nonce has to be remembered. Two skews more than the window:
 * another node's clock may be one behind ours, and ours one ahead of the signer's.
 */
export function rememberUntil(claim: Claim, traits: SchemeTraits, rules: Rules, now: number): number {
  const { defaultWindow = usualWindow } = traits
  const { maxAgeSeconds = defaultWindow.maxAgeSeconds, skewSeconds = defaultWindow.skewSeconds } = rules
  const { createdAt } = claim
  // Without a time nothing ages: only the memory of the nonce holds a second copy off.
  return createdAt === undefined
    ? now + Math.max(maxAgeSeconds, traits.rememberSeconds ?? 0) + 2 * skewSeconds
    : createdAt + maxAgeSeconds + 2 * skewSeconds
}
