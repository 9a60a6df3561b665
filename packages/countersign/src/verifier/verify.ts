import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import { decoders } from '../bytes/encoding.ts'
import { equalText } from '../bytes/equal.ts'
import { aliveSecrets, checkAlive } from '../credentials/alive.ts'
import type { Credential } from '../credentials/credential.ts'
import { type KnownCredential, knowCredential } from '../credentials/known.ts'
import { missingRight } from '../credentials/rights.ts'
import { bodyRefusal, compareDigests } from '../digest/content-digest.ts'
import { readCoveredDigests } from '../digest/digest-header.ts'
import { coordinateBytes } from '../keys/material.ts'
import { secretFrom } from '../keys/secret.ts'
import type { Message } from '../message/message.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { checkCoverage } from '../policy/coverage.ts'
import type { Rules } from '../policy/rules.ts'
import { checkWindow, rememberUntil } from '../policy/window.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal, type Refusal, refuse } from '../reasons/reasons.ts'
import { replayToken } from '../replay/token.ts'
import { type BaseContext, type Claim, isSteps, type Scheme } from '../schemes/scheme.ts'
import type { CredentialNeed } from '../steps/need.ts'
import { answered, ask, type Steps } from '../steps/steps.ts'

/** Everything one judgement goes by. */
export interface Judgement {
  readonly schemes: readonly Scheme[]
  readonly rules: Rules
  readonly rights: readonly string[]
  /** Whether there is a nonce store. */
  readonly recordsNonces: boolean
  /** Whole seconds since the epoch. */
  readonly now: number
}

/** A claim that stood. */
export interface Stood {
  readonly ok: true
  readonly scheme: Scheme
  readonly claim: Claim
  readonly credential: KnownCredential
}

/** A refusal, and the claim that fell where there was one. */
export interface Fell {
  readonly ok: false
  readonly scheme: Scheme | undefined
  readonly claim: Claim | undefined
  readonly refusal: Refusal
}

const maxNonceLength = 256
/** Longest text of a signature: RSA-8192 in hex. */
const maxSignatureLength = 2048

const unknown = refuse('credential-unknown', 'no credential has this key id')

const decoy = secretFrom.utf8('no message is ever accepted under this one')

/** Most signatures judged on one message. RFC 9421 section 7.2.6 leaves the number to the verifier. */
const maxClaims = 8

interface Candidate {
  readonly scheme: Scheme
  readonly claim: Claim
}

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

/** Puts the claims that count into `candidates`; gives the first refusal of what could not be read. */
function gatherClaims(message: Message, judgement: Judgement, candidates: Candidate[]): Fell | undefined {
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
function* gatherFromContent(
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

function knownCredential(found: Credential | undefined, keyId: string): KnownCredential | undefined {
  if (found === undefined) return undefined
  const credential = knowCredential(found)
  if (credential.id !== keyId) {
    throw new CountersignError(
      'store-failed',
      'the store gave the credential of another key id than was asked for',
    )
  }
  return credential
}

interface Proof {
  readonly credential: KnownCredential
  readonly algorithm: SignatureAlgorithm
  /** Whole seconds since the epoch. */
  readonly now: number
}

function* prove(base: SignatureBase, { scheme, claim }: Candidate, proof: Proof): Steps<Refusal | undefined> {
  const { credential, algorithm, now } = proof
  const { encoding } = scheme
  if (algorithm.hash !== undefined && algorithm.keyKind === 'secret') {
    const { hash } = algorithm
    for (const { secret } of aliveSecrets(credential, now)) {
      if (equalText(claim.signature, answered('mac', yield { kind: 'mac', hash, secret, base, encoding })))
        return undefined
    }
    return isEncoded(claim, scheme)
      ? refuse('signature-mismatch', 'the MAC fits under no live secret of the credential')
      : notEncoded(scheme)
  }
  const key = credential.identifiedKey
  const signature = isEncoded(claim, scheme) ? decoders[encoding](claim.signature) : undefined
  if (signature === undefined || key === undefined) return notEncoded(scheme)
  const fits: unknown = yield* ask({ kind: 'verify', algorithm, key, base, signature })
  return fits === true
    ? undefined
    : refuse('signature-mismatch', 'the signature does not fit under the key of the credential')
}

/** Only behind a mismatch is it worth to tell a text that is no signature at all from a wrong one. */
function isEncoded(claim: Claim, scheme: Scheme): boolean {
  // No signature is that long, and a long text would be decoded for nothing.
  return (
    claim.signature.length <= maxSignatureLength && decoders[scheme.encoding](claim.signature) !== undefined
  )
}

function notEncoded(scheme: Scheme): Refusal {
  return refuse('signature-malformed', `the signature is not canonical ${scheme.encoding}`)
}

/**
 * Goes through the proof of an unknown or dead key and refuses as that of a live one would be refused, so that neither the answer
 * nor the clock tells them apart. An unknown key id costs what an HMAC costs, whatever kind of key others have.
 */
function* proveNothing(
  { scheme, claim }: Candidate,
  message: Message,
  context: BaseContext,
  { dead, found }: { readonly dead: Refusal; readonly found: KnownCredential | undefined },
): Steps<Refusal> {
  const given = scheme.base(message, claim, context)
  const base = isSteps(given) ? yield* given : given
  if (isRefusal(base)) return base
  const signature = isEncoded(claim, scheme) ? decoders[scheme.encoding](claim.signature) : undefined
  if (signature === undefined) return notEncoded(scheme)
  const key = found?.identifiedKey
  const algorithm =
    key === undefined || found === undefined ? undefined : algorithmFor(scheme, found, undefined, undefined)
  if (key === undefined || algorithm === undefined || isRefusal(algorithm)) {
    yield* ask({ kind: 'mac', hash: 'sha256', secret: decoy, base, encoding: scheme.encoding })
  } else {
    yield* ask({ kind: 'verify', algorithm, key, base, signature })
  }
  return dead
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

function unavailable(doing: string, failure: unknown): Refusal {
  if (!(failure instanceof CountersignError)) {
    // Only our own errors are known to be free of secrets; of others nothing but the name is repeated.
    return refuse('store-unavailable', `${doing}: ${failure instanceof Error ? failure.name : 'failure'}`)
  }
  return refuse(
    failure.code === 'algorithm-unsupported' ? 'algorithm-refused' : 'store-unavailable',
    `${doing}: ${failure.message}`,
  )
}

function fallen(scheme: Scheme | undefined, claim: Claim | undefined, refusal: Refusal): Fell {
  return { ok: false, scheme, claim, refusal }
}
