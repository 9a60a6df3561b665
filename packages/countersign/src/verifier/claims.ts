import type { Message } from '../message/message.ts'
import type { Rules } from '../policy/rules.ts'
import { isRefusal, refuse } from '../reasons/reasons.ts'
import type { Claim } from '../schemes/scheme.ts'
import type { Steps } from '../steps/steps.ts'
import { type Candidate, type Fell, fallen, type Judgement, unavailable } from './judgement.ts'

/** Most signatures judged on one message. RFC 9421 section 7.2.6 leaves the number to the verifier. */
const maxClaims = 8

/** Puts the claims that count into `candidates`; gives the first refusal of what could not be read. */
export function gatherClaims(
  message: Message,
  judgement: Judgement,
  candidates: Candidate[],
): Fell | undefined {
  if (message.problem !== undefined) {
    return fallen(undefined, undefined, refuse('message-malformed', message.problem))
  }
  let unreadable: Fell | undefined
  for (const scheme of judgement.schemes) {
    const claims = scheme.read(message)
    if (claims === undefined) continue
    if (isRefusal(claims)) {
      unreadable ??= fallen(scheme, undefined, claims)
      continue
    }
    for (const claim of claims) if (isWanted(claim, judgement.rules)) candidates.push({ scheme, claim })
  }
  return candidates.length > maxClaims ? tooMany(candidates) : unreadable
}

/** As `gatherClaims`, for schemes of which an old client says in the content who it is. */
export function* gatherFromContent(
  message: Message,
  judgement: Judgement,
  candidates: Candidate[],
): Steps<Fell | undefined> {
  let unreadable: Fell | undefined
  for (const scheme of judgement.schemes) {
    if (scheme.readContent === undefined) continue
    try {
      const claims = yield* scheme.readContent(message, judgement.rules)
      if (claims === undefined) continue
      if (isRefusal(claims)) unreadable ??= fallen(scheme, undefined, claims)
      else
        for (const claim of claims) if (isWanted(claim, judgement.rules)) candidates.push({ scheme, claim })
    } catch (failure) {
      return fallen(scheme, undefined, unavailable('the content could not be read', failure))
    }
  }
  return candidates.length > maxClaims ? tooMany(candidates) : unreadable
}

function tooMany(candidates: Candidate[]): Fell {
  candidates.length = 0
  return fallen(undefined, undefined, refuse('signature-malformed', `more than ${maxClaims} signatures`))
}

function isWanted(claim: Claim, { signatures }: Rules): boolean {
  if (signatures === 'any' || signatures === 'all') return true
  return 'label' in signatures ? claim.label === signatures.label : claim.tag === signatures.tag
}
