import type { Message } from '../message/message.ts'
import type { Rules } from '../policy/rules.ts'
import { isRefusal, refuse } from '../reasons/reasons.ts'
import type { Claim } from '../schemes/scheme.ts'
import type { Steps } from '../steps/steps.ts'
import { type Candidate, type Fell, fallen, type Judgement, unavailable } from './judgement.ts'

/** Most signatures judged on one message. RFC 9421 section 7.2.6 leaves the number to the verifier. */
const maxClaims = 8

/** What a message gives to judge. */
export interface Gathered {
  /** The claims that count, in the order of the schemes. */
  readonly candidates: readonly Candidate[]
  /** The first refusal of what could not be read. */
  readonly unreadable: Fell | undefined
}

/** Gathers the claims of a message. */
export function gatherClaims(message: Message, { schemes, rules }: Judgement): Gathered {
  if (message.problem !== undefined) {
    return { candidates: [], unreadable: fallen(undefined, refuse('message-malformed', message.problem)) }
  }
  let candidates: Candidate[] | undefined
  let unreadable: Fell | undefined
  for (const scheme of schemes) {
    const claims = scheme.read(message)
    if (claims === undefined) continue
    if (isRefusal(claims)) {
      unreadable ??= fallen({ scheme, claim: undefined }, claims)
      continue
    }
    for (const claim of claims) {
      if (!isWanted(claim, rules)) continue
      if (candidates === undefined) candidates = [{ scheme, claim }]
      else candidates.push({ scheme, claim })
    }
  }
  return limited(candidates ?? [], unreadable)
}

/** As `gatherClaims`, for schemes of which an old client says in the content who it is. */
export function* gatherFromContent(message: Message, { schemes, rules }: Judgement): Steps<Gathered> {
  const candidates: Candidate[] = []
  let unreadable: Fell | undefined
  for (const scheme of schemes) {
    if (scheme.readContent === undefined) continue
    try {
      const claims = yield* scheme.readContent(message, rules)
      if (claims === undefined) continue
      if (isRefusal(claims)) unreadable ??= fallen({ scheme, claim: undefined }, claims)
      else for (const claim of claims) if (isWanted(claim, rules)) candidates.push({ scheme, claim })
    } catch (failure) {
      const refusal = unavailable('the content could not be read', failure)
      return { candidates: [], unreadable: fallen({ scheme, claim: undefined }, refusal) }
    }
  }
  return limited(candidates, unreadable)
}

function limited(candidates: readonly Candidate[], unreadable: Fell | undefined): Gathered {
  if (candidates.length <= maxClaims) return { candidates, unreadable }
  const refusal = refuse('signature-malformed', `more than ${maxClaims} signatures`)
  return { candidates: [], unreadable: fallen(undefined, refusal) }
}

function isWanted(claim: Claim, { signatures }: Rules): boolean {
  if (signatures === 'any' || signatures === 'all') return true
  return 'label' in signatures ? claim.label === signatures.label : claim.tag === signatures.tag
}
