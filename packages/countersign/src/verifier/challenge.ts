import { hasContent } from '../message/body.ts'
import type { Message } from '../message/message.ts'
import { requiredCoverage } from '../policy/coverage.ts'
import type { Rules } from '../policy/rules.ts'
import { type Reason, reasons } from '../reasons/reasons.ts'
import type { Scheme } from '../schemes/scheme.ts'

/** Seconds after which a client may try again when a store is down. */
const retryAfterSeconds = 1

/** A refusal, and the scheme whose claim or syntax it is about, where it is about one. */
interface RefusedBy {
  readonly reason: Reason
  readonly scheme: Scheme | undefined
}

/**
 * Gives the fields that go with a refusal: how to sign, for every scheme accepted (RFC 9110 section 11.6.1,
 * RFC 9421 section 5.1), or when to try again.
 */
export function challengeFields(
  { reason, scheme: refusedBy }: RefusedBy,
  schemes: readonly Scheme[],
  rules: Rules,
  message: Message,
): readonly (readonly [name: string, value: string])[] {
  const { status } = reasons[reason]
  if (status === 503) return [['Retry-After', String(retryAfterSeconds)]]
  if (status !== 401) return []
  const needsDigest = rules.digest !== 'if-covered' && hasContent(message.body)
  return schemes.flatMap((scheme) => {
    const required = requiredCoverage(rules.covers ?? scheme.traits.minimum, message)
    const all =
      needsDigest && !required.includes('content-digest') ? [...required, 'content-digest'] : required
    return scheme.challenge(all, scheme === refusedBy ? reason : undefined)
  })
}
