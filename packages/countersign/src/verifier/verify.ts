import { equalText } from '../bytes/equal.ts'
import { checkAlive } from '../credentials/alive.ts'
import type { KnownCredential } from '../credentials/known.ts'
import { missingRight } from '../credentials/rights.ts'
import { bodyRefusal, type ContentDigests, compareDigests } from '../digest/content-digest.ts'
import { readCoveredDigests } from '../digest/digest-header.ts'
import type { Message } from '../message/message.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { checkCoverage } from '../policy/coverage.ts'
import type { Rules } from '../policy/rules.ts'
import { checkWindow, rememberUntil } from '../policy/window.ts'
import { isRefusal, type Refusal, refuse } from '../reasons/reasons.ts'
import { replayToken } from '../replay/token.ts'
import { type Claim, isSteps, type Scheme } from '../schemes/scheme.ts'
import type { Answers, BodyDigestNeed, CredentialNeed } from '../steps/need.ts'
import { answered, ask, type Steps } from '../steps/steps.ts'
import { type Gathered, gatherClaims, gatherFromContent } from './claims.ts'
import { type Candidate, type Fell, fallen, type Judgement, type Stood, unavailable } from './judgement.ts'
import { knownCredential, newestMac, open, type Proof, prove, proveNothing, unknown } from './prove.ts'

const maxNonceLength = 256

/**
 * Judges a message: each scheme in order, each of its claims. Of `any` the first that satisfies everything alone decides, of `all`
 * the first that falls. Else the first refusal is the one reported. A failing store ends it: in doubt nothing is accepted.
 */
export function verifySteps(message: Message, judgement: Judgement): Steps<Stood | Fell> {
  const gathered = gatherClaims(message, judgement)
  const only = gathered.candidates[0]
  // Nearly every message has one signature. It gets one generator: each further one on its way costs 0.2 us and 400 bytes.
  return only !== undefined && gathered.candidates.length === 1 && gathered.unreadable === undefined
    ? judgeClaim(only, message, judgement, alone)
    : judgeAll(gathered, message, judgement)
}

function* judgeAll(gathered: Gathered, message: Message, judgement: Judgement): Steps<Stood | Fell> {
  let { candidates, unreadable } = gathered
  if (candidates.length === 0 && unreadable === undefined && message.body !== undefined) {
    const found = yield* gatherFromContent(message, judgement)
    candidates = found.candidates
    unreadable = found.unreadable
  }
  const all = judgement.rules.signatures === 'all'
  if (unreadable !== undefined && (all || candidates.length === 0)) return unreadable
  const together: Together = { sharedBy: candidates.length, settlesLater: all }
  const standing: Stood[] = []
  let first: Fell | undefined
  for (const candidate of candidates) {
    const result = yield* judgeClaim(candidate, message, judgement, together)
    if (result.ok) {
      if (!all) return result
      standing.push(result)
    } else {
      first ??= result
      // A message that carries several signatures is one message: once seen, it is not accepted under the next of them.
      if (all || isFinal(result.refusal)) return result
    }
  }
  // Nonces are spent only when all signatures are proven: else a junk one beside them would burn theirs.
  for (const stood of standing) {
    const refusal = yield* settle(stood, stood.credential, judgement)
    if (refusal !== undefined) return fallen(stood, refusal)
  }
  return (
    standing[0] ?? first ?? fallen(undefined, refuse('signature-absent', 'no acceptable signature was found'))
  )
}

/** How the claims of one message are judged. */
interface Together {
  /** How many they are. */
  readonly sharedBy: number
  /** Whether nonce and rights wait until all of them are proven. */
  readonly settlesLater: boolean
}

const alone: Together = { sharedBy: 1, settlesLater: false }

function isFinal({ reason }: Refusal): boolean {
  return reason === 'store-unavailable' || reason === 'replayed'
}

/** Judges one claim: coverage and window, credential, proof, content, nonce, rights, in this order. */
function* judgeClaim(
  candidate: Candidate,
  message: Message,
  judgement: Judgement,
  { sharedBy, settlesLater }: Together,
): Steps<Stood | Fell> {
  const early = checkClaim(candidate, message, judgement)
  if (early !== undefined) return fallen(candidate, early)
  let doing = 'the credential could not be had'
  try {
    const need = credentialNeed(candidate)
    const opened = open(candidate, answered('credential', yield need), message, judgement, sharedBy)
    if (isRefusal(opened)) return fallen(candidate, opened)
    doing = 'the signature could not be checked'
    const base = isSteps(opened.base) ? yield* opened.base : opened.base
    if (opened.dead !== undefined) return fallen(candidate, yield* proveNothing(candidate, base, opened))
    if (isRefusal(base)) return fallen(candidate, base)
    const macNeed = newestMac(opened, base, candidate.scheme)
    if (macNeed === undefined || !equalText(candidate.claim.signature, answered('mac', yield macNeed))) {
      const unproven = yield* prove(base, candidate, opened, macNeed === undefined ? 0 : 1)
      if (unproven !== undefined) return fallen(candidate, unproven)
    }

    doing = 'the content could not be read'
    const content = contentNeed(candidate.claim, message, judgement.rules)
    if (content !== undefined) {
      if (isRefusal(content)) return fallen(candidate, content)
      const differs = compareContent(content, answered('body-digest', yield content.need))
      if (differs !== undefined) return fallen(candidate, differs)
    }
    let { credential } = opened
    if (message.body !== undefined && !(message.body instanceof Uint8Array)) {
      const still = yield* stillProven(candidate, base, judgement, opened)
      if (isRefusal(still)) return fallen(candidate, still)
      credential = still
    }
    if (!settlesLater) {
      const refusal = recordsNonce(candidate.claim, judgement)
        ? yield* settle(candidate, credential, judgement)
        : checkRights(credential, judgement)
      if (refusal !== undefined) return fallen(candidate, refusal)
    }
    return { ok: true, scheme: candidate.scheme, claim: candidate.claim, credential }
  } catch (failure) {
    return fallen(candidate, unavailable(doing, failure))
  }
}

function checkClaim(
  { scheme, claim }: Candidate,
  message: Message,
  judgement: Judgement,
): Refusal | undefined {
  const { rules, now } = judgement
  return (
    checkCoverage(message, claim, scheme.traits, rules) ??
    checkWindow(claim, scheme.traits, rules, now) ??
    checkNonce(claim, scheme, judgement)
  )
}

function credentialNeed({ scheme, claim }: Candidate): CredentialNeed {
  return { kind: 'credential', keyId: claim.keyId, scheme: scheme.name }
}

/** Digests to make of the content, and those that the signature covers. */
interface ContentTrial {
  readonly need: BodyDigestNeed
  readonly covered: ContentDigests
}

function contentNeed(
  claim: Claim,
  message: Message,
  { limitBytes }: Rules,
): ContentTrial | Refusal | undefined {
  if (claim.contentDigest === undefined && claim.digestHeader === undefined) return undefined
  const covered = readCoveredDigests(claim)
  return isRefusal(covered)
    ? covered
    : { need: { kind: 'body-digest', body: message.body, hashNames: covered.hashNames, limitBytes }, covered }
}

function compareContent({ need, covered }: ContentTrial, made: Answers['body-digest']): Refusal | undefined {
  return 'problem' in made ? bodyRefusal(made.problem, need.limitBytes) : compareDigests(covered, made)
}

/**
 * Looks again at the credential and the window, after content that had to be waited for: a key revoked, expired or replaced
 * meanwhile is refused, rights are those of now, and a nonce is never recorded when its time is over.
 */
function* stillProven(
  candidate: Candidate,
  base: SignatureBase,
  { rules, now }: Judgement,
  { credential }: Proof,
): Steps<KnownCredential | Refusal> {
  const { scheme, claim } = candidate
  const later = yield* ask({ kind: 'time' })
  const still = knownCredential(yield* ask(credentialNeed(candidate)), claim.keyId)
  if (still === undefined) return unknown
  const over =
    checkAlive(still, later) ?? (later > now ? checkWindow(claim, scheme.traits, rules, later) : undefined)
  if (over !== undefined) return over
  if (still === credential && later === now) return still
  const algorithm = algorithmFor(scheme, still, claim.algorithm, rules.algorithms)
  if (isRefusal(algorithm)) return algorithm
  return (yield* prove(base, candidate, { credential: still, algorithm, now: later })) ?? still
}

function recordsNonce(claim: Claim, { recordsNonces, rules }: Judgement): boolean {
  return recordsNonces && claim.nonce !== undefined && rules.nonce !== 'ignored'
}

/** What comes last: the nonce, then the rights. */
function* settle(
  { scheme, claim }: Candidate,
  credential: KnownCredential,
  judgement: Judgement,
): Steps<Refusal | undefined> {
  if (claim.nonce !== undefined && recordsNonce(claim, judgement)) {
    const token = replayToken(claim.scheme, claim.keyId, claim.nonce)
    const expiresAt = rememberUntil(claim, scheme.traits, judgement.rules, judgement.now)
    try {
      const seen: unknown = answered('nonce', yield { kind: 'nonce', token, expiresAt })
      if (seen === 'seen') return refuse('replayed', 'this key has used this nonce before')
      // Whatever else a store gives by mistake must not switch the protection off.
      if (seen !== 'fresh') return refuse('store-unavailable', 'the nonce store gave neither fresh nor seen')
    } catch (failure) {
      return unavailable('the nonce could not be recorded', failure)
    }
  }
  return checkRights(credential, judgement)
}

function checkRights({ rights }: KnownCredential, judgement: Judgement): Refusal | undefined {
  const lacking = missingRight(rights, judgement.rights)
  return lacking === undefined
    ? undefined
    : refuse('right-missing', `the right ${JSON.stringify(lacking)} is required`)
}

function checkNonce(claim: Claim, scheme: Scheme, judgement: Judgement): Refusal | undefined {
  const rule =
    judgement.rules.nonce ?? (scheme.traits.nonce && judgement.recordsNonces ? 'required' : 'ignored')
  if (claim.nonce === undefined) {
    return rule === 'required' ? refuse('nonce-missing', 'the signature carries no nonce') : undefined
  }
  return claim.nonce === '' || claim.nonce.length > maxNonceLength
    ? refuse('signature-malformed', `the nonce is empty or over ${maxNonceLength} characters`)
    : undefined
}
