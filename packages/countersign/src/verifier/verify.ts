import { checkAlive } from '../credentials/alive.ts'
import type { KnownCredential } from '../credentials/known.ts'
import { missingRight } from '../credentials/rights.ts'
import { bodyRefusal, compareDigests } from '../digest/content-digest.ts'
import { readCoveredDigests } from '../digest/digest-header.ts'
import type { Message } from '../message/message.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { checkCoverage } from '../policy/coverage.ts'
import { checkWindow, rememberUntil } from '../policy/window.ts'
import { isRefusal, type Refusal, refuse } from '../reasons/reasons.ts'
import { replayToken } from '../replay/token.ts'
import { type Claim, isSteps, type Scheme } from '../schemes/scheme.ts'
import type { CredentialNeed } from '../steps/need.ts'
import { answered, ask, type Steps } from '../steps/steps.ts'
import { gatherClaims, gatherFromContent } from './claims.ts'
import { type Candidate, type Fell, fallen, type Judgement, type Stood, unavailable } from './judgement.ts'
import { knownCredential, prove, proveNothing, unknown } from './prove.ts'

const maxNonceLength = 256

/**
 * Judges a message: each scheme in order, each of its claims. Of `any` the first that satisfies everything alone decides, of `all`
 * the first that falls. Else the first refusal is the one reported. A failing store ends it: in doubt nothing is accepted.
 */
export function* verifySteps(message: Message, judgement: Judgement): Steps<Stood | Fell> {
  const candidates: Candidate[] = []
  let unreadable = gatherClaims(message, judgement, candidates)
  if (candidates.length === 0 && unreadable === undefined && message.body !== undefined) {
    unreadable = yield* gatherFromContent(message, judgement, candidates)
  }
  const all = judgement.rules.signatures === 'all'
  if (unreadable !== undefined && (all || candidates.length === 0)) return unreadable
  const standing: Stood[] = []
  let first: Fell | undefined
  for (const candidate of candidates) {
    const { scheme, claim } = candidate
    const credential = yield* proveClaim(candidate, candidates.length, message, judgement)
    let refusal = isRefusal(credential) ? credential : undefined
    if (!isRefusal(credential)) {
      const stood: Stood = { ok: true, scheme, claim, credential }
      if (all) standing.push(stood)
      else refusal = yield* settle(stood, judgement)
      if (refusal === undefined && !all) return stood
    }
    if (refusal === undefined) continue
    first ??= fallen(scheme, claim, refusal)
    // A message that carries several signatures is one message: once seen, it is not accepted under the next of them.
    if (all || refusal.reason === 'store-unavailable' || refusal.reason === 'replayed') {
      return fallen(scheme, claim, refusal)
    }
  }
  // Nonces are spent only when all signatures are proven: else a junk one beside them would burn theirs.
  for (const stood of standing) {
    const refusal = yield* settle(stood, judgement)
    if (refusal !== undefined) return fallen(stood.scheme, stood.claim, refusal)
  }
  return (
    standing[0] ??
    first ??
    fallen(undefined, undefined, refuse('signature-absent', 'no acceptable signature was found'))
  )
}

/** Proves one claim: coverage and window, credential, proof, content, in this order. */
function* proveClaim(
  candidate: Candidate,
  sharedBy: number,
  message: Message,
  judgement: Judgement,
): Steps<KnownCredential | Refusal> {
  const { scheme, claim } = candidate
  const { rules, now } = judgement
  const early =
    checkCoverage(message, claim, scheme.traits, rules) ??
    checkWindow(claim, scheme.traits, rules, now) ??
    checkNonce(claim, scheme, judgement)
  if (early !== undefined) return early

  let doing = 'the credential could not be had'
  try {
    const credentialNeed: CredentialNeed = { kind: 'credential', keyId: claim.keyId, scheme: scheme.name }
    const found = knownCredential(answered('credential', yield credentialNeed), claim.keyId)
    const dead = found === undefined ? unknown : checkAlive(found, now)
    const context = sharedBy === 1 ? rules : { limitBytes: rules.limitBytes, sharedBy }
    doing = 'the signature could not be checked'
    if (found === undefined || dead !== undefined) {
      return yield* proveNothing(candidate, message, context, { dead: dead ?? unknown, found })
    }
    const credential = found
    const algorithm = algorithmFor(scheme, credential, claim.algorithm, rules.algorithms)
    if (isRefusal(algorithm)) return algorithm
    const given = scheme.base(message, claim, context)
    const base = isSteps(given) ? yield* given : given
    if (isRefusal(base)) return base
    const unproven = yield* prove(base, candidate, { credential, algorithm, now })
    if (unproven !== undefined) return unproven

    doing = 'the content could not be read'
    if (claim.contentDigest !== undefined || claim.digestHeader !== undefined) {
      const covered = readCoveredDigests(claim)
      if (isRefusal(covered)) return covered
      const { hashNames } = covered
      const { limitBytes } = rules
      const made = answered(
        'body-digest',
        yield { kind: 'body-digest', body: message.body, hashNames, limitBytes },
      )
      if ('problem' in made) return bodyRefusal(made.problem, limitBytes)
      const differs = compareDigests(covered, made)
      if (differs !== undefined) return differs
    }
    if (message.body === undefined || message.body instanceof Uint8Array) return credential
    return yield* stillProven(candidate, base, judgement, { credential, credentialNeed })
  } catch (failure) {
    return unavailable(doing, failure)
  }
}

/**
 * Looks again at the credential and the window, after content that had to be waited for: a key revoked, expired or replaced
 * meanwhile is refused, rights are those of now, and a nonce is never recorded when its time is over.
 */
function* stillProven(
  candidate: Candidate,
  base: SignatureBase,
  { rules, now }: Judgement,
  {
    credential,
    credentialNeed,
  }: { readonly credential: KnownCredential; readonly credentialNeed: CredentialNeed },
): Steps<KnownCredential | Refusal> {
  const { scheme, claim } = candidate
  const later = yield* ask({ kind: 'time' })
  const still = knownCredential(yield* ask(credentialNeed), claim.keyId)
  if (still === undefined) return unknown
  const over =
    checkAlive(still, later) ?? (later > now ? checkWindow(claim, scheme.traits, rules, later) : undefined)
  if (over !== undefined) return over
  if (still === credential && later === now) return still
  const algorithm = algorithmFor(scheme, still, claim.algorithm, rules.algorithms)
  if (isRefusal(algorithm)) return algorithm
  return (yield* prove(base, candidate, { credential: still, algorithm, now: later })) ?? still
}

/** What comes last: the nonce, then the rights. */
function* settle({ scheme, claim, credential }: Stood, judgement: Judgement): Steps<Refusal | undefined> {
  const { rules, rights } = judgement
  if (claim.nonce !== undefined && judgement.recordsNonces && rules.nonce !== 'ignored') {
    const token = replayToken(claim.scheme, claim.keyId, claim.nonce)
    const expiresAt = rememberUntil(claim, scheme.traits, rules, judgement.now)
    try {
      const seen: unknown = yield* ask({ kind: 'nonce', token, expiresAt })
      if (seen === 'seen') return refuse('replayed', 'this key has used this nonce before')
      // Whatever else a store gives by mistake must not switch the protection off.
      if (seen !== 'fresh') return refuse('store-unavailable', 'the nonce store gave neither fresh nor seen')
    } catch (failure) {
      return unavailable('the nonce could not be recorded', failure)
    }
  }
  const lacking = missingRight(credential.rights, rights)
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
