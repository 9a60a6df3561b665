import { hasContent } from '../message/body.ts'
import type { Message } from '../message/message.ts'
import { type Refusal, refuse } from '../reasons/reasons.ts'
import type { Claim, SchemeTraits } from '../schemes/scheme.ts'
import type { Coverage } from './policy.ts'
import type { Rules } from './rules.ts'

const requestMinimum: readonly string[] = ['@method', '@target-uri']
const responseMinimum: readonly string[] = ['@status']

/** Refuses a claim that covers less than the policy requires, before any key is looked up. RFC 9421 section 7.2.1. */
export function checkCoverage(
  message: Message,
  claim: Claim,
  traits: SchemeTraits,
  rules: Rules,
): Refusal | undefined {
  const { covers } = claim
  if (traits.chosenCoverage || rules.covers !== undefined) {
    for (const required of requiredCoverage(rules.covers ?? traits.minimum, message)) {
      if (!isCovered(required, covers, message)) {
        return refuse('coverage-missing', `${required} is required and not covered`)
      }
    }
  }
  if (
    rules.digest !== 'if-covered' &&
    hasContent(message.body) &&
    !isContentCovered(covers) &&
    // An old client cannot cover what its scheme has no place for. Only the policy's own word keeps it out.
    (rules.digest === 'required' || claim.warnings?.includes('content-uncovered') !== true)
  ) {
    return refuse('digest-missing', 'there is content, and the signature covers no digest of it')
  }
  return undefined
}

/** The component identifiers that a policy requires of a message. Methods are looked up as sent, then in upper case. */
export function requiredCoverage(covers: Coverage | undefined, message: Message): readonly string[] {
  const minimum = message.kind === 'request' ? requestMinimum : responseMinimum
  if (covers === undefined) return minimum
  if (isList(covers)) return covers
  const methods = message.kind === 'request' ? [message.method, message.method.toUpperCase()] : []
  for (const method of [...methods, '*']) if (Object.hasOwn(covers, method)) return covers[method] ?? minimum
  return minimum
}

function isList(covers: Coverage): covers is readonly string[] {
  return Array.isArray(covers)
}

/** Tells whether the content itself is signed: under the MAC, or through a covered digest. A `;req`, `;tr` or `;key` form does not count. */
function isContentCovered(covers: readonly string[]): boolean {
  return covers.includes('content-digest') || covers.includes('@body')
}

function isCovered(required: string, covers: readonly string[], message: Message): boolean {
  if (covers.includes(required)) return true
  switch (required) {
    case '@target-uri':
      // The parts say the same as the whole; the scheme part is fixed by the listener. An empty query needs no cover:
      // adding one makes it non-empty.
      return (
        isCovered('@authority', covers, message) &&
        isCovered('@path', covers, message) &&
        (isCovered('@query', covers, message) || isQueryEmpty(message))
      )
    case '@authority':
      return covers.includes('@target-uri')
    case '@path':
    case '@query':
      return covers.includes('@target-uri') || covers.includes('@request-target')
    case 'content-digest':
      return covers.includes('@body')
    default:
      return false
  }
}

function isQueryEmpty(message: Message): boolean {
  return message.kind === 'request' && (message.parts.query === undefined || message.parts.query === '')
}
