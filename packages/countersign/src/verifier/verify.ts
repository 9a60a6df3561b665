import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import { base64Decode, base64urlDecode } from '../bytes/base64.ts'
import { equalText } from '../bytes/equal.ts'
import { hexDecode } from '../bytes/hex.ts'
import { checkAlive, isSecretAlive } from '../credentials/alive.ts'
import { type KnownCredential, knowCredential } from '../credentials/known.ts'
import { missingRight } from '../credentials/rights.ts'
import { checkContentDigest } from '../digest/content-digest.ts'
import type { Message } from '../message/message.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { checkCoverage } from '../policy/coverage.ts'
import type { Rules } from '../policy/rules.ts'
import { checkWindow, rememberUntil } from '../policy/window.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal, type Refusal, refuse } from '../reasons/reasons.ts'
import { replayToken } from '../replay/token.ts'
import type { Claim, Scheme } from '../schemes/scheme.ts'
import type { TextEncoding } from '../steps/need.ts'
import { ask, type Steps } from '../steps/steps.ts'

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

const decoders: Readonly<Record<TextEncoding, (text: string) => Uint8Array | undefined>> = {
  hex: hexDecode,
  base64: base64Decode,
  base64url: base64urlDecode,
}

const decoy = knowCredential({ id: 'nobody', secret: 'no message is ever accepted under this one' })
const decoyAlgorithm: SignatureAlgorithm = {
  name: 'hmac-sha256',
  keyKind: 'secret',
  hash: 'sha256',
  status: 'current',
}

/** Most signatures judged on one message. RFC 9421 section 7.2.6 leaves the number to the verifier. */
const maxClaims = 8

/**
 * Judges a message: each scheme in order, each of its claims, until one satisfies everything alone.
 * The first refusal is the one reported. A store that fails ends the judgement: in doubt nothing is accepted.
 */
export function* verifySteps(message: Message, judgement: Judgement): Steps<Stood | Fell> {
  if (message.problem !== undefined)
    return fallen(undefined, undefined, refuse('message-malformed', message.problem))
  let first: Stood | Fell | undefined
  let judged = 0
  for (const scheme of judgement.schemes) {
    const claims = scheme.read(message)
    if (claims === undefined) continue
    if (isRefusal(claims)) {
      first ??= fallen(scheme, undefined, claims)
      continue
    }
    const chosen = chooseClaims(claims, judgement.rules)
    judged += chosen.length
    if (judged > maxClaims) {
      return fallen(scheme, claims[0], refuse('signature-malformed', `more than ${maxClaims} signatures`))
    }
    const result = yield* judgeClaims(message, scheme, chosen, judgement)
    if (result.ok || isFinal(result)) return result
    first ??= result
  }
  return first ?? fallen(undefined, undefined, refuse('signature-absent', 'no scheme found a signature'))
}

function* judgeClaims(
  message: Message,
  scheme: Scheme,
  claims: readonly Claim[],
  judgement: Judgement,
): Steps<Stood | Fell> {
  const all = judgement.rules.signatures === 'all'
  let first: Stood | Fell | undefined
  for (const claim of claims) {
    const outcome = yield* judgeClaim(message, scheme, claim, judgement)
    const result: Stood | Fell = isRefusal(outcome)
      ? fallen(scheme, claim, outcome)
      : { ok: true, scheme, claim, credential: outcome }
    // Of any, the first that stands decides; of all, the first that falls. A failing store ends it either way.
    if (result.ok !== all || isFinal(result)) return result
    first ??= result
  }
  return (
    first ??
    fallen(scheme, undefined, refuse('signature-absent', 'no signature has the required label or tag'))
  )
}

function isFinal(result: Stood | Fell): boolean {
  return !result.ok && result.refusal.reason === 'store-unavailable'
}

/** Judges one claim: coverage and window, credential, proof, content, nonce, rights, in this order. */
function* judgeClaim(
  message: Message,
  scheme: Scheme,
  claim: Claim,
  judgement: Judgement,
): Steps<KnownCredential | Refusal> {
  const { rules, now } = judgement
  const early =
    checkCoverage(message, claim, scheme.traits, rules) ??
    checkWindow(claim, scheme.traits, rules, now) ??
    checkNonce(claim, scheme, judgement)
  if (early !== undefined) return early

  const credential = yield* findCredential(claim.keyId, scheme.name, now)
  if (isRefusal(credential)) {
    if (credential.reason !== 'store-unavailable') yield* proveNothing(message, scheme, claim, rules)
    return credential
  }
  const algorithm = algorithmFor(scheme, credential, claim.algorithm, rules.algorithms)
  if (isRefusal(algorithm)) return algorithm
  const given = scheme.base(message, claim, rules)
  const base = 'next' in given ? yield* given : given
  if (isRefusal(base)) return base
  const unproven =
    algorithm.keyKind === 'secret'
      ? yield* proveMac(base, claim, scheme, { credential, algorithm, now })
      : yield* proveSignature(base, claim, scheme, { credential, algorithm })
  if (unproven !== undefined) return unproven

  if (claim.contentDigest !== undefined) {
    const differs = yield* checkContentDigest(claim.contentDigest, message.body, rules.limitBytes)
    if (differs !== undefined) return differs
  }
  if (message.body !== undefined && !(message.body instanceof Uint8Array)) {
    // The content may have taken long to arrive: a key revoked meanwhile is refused.
    const still = yield* findCredential(claim.keyId, scheme.name, now)
    if (isRefusal(still)) return still
  }
  if (claim.nonce !== undefined && judgement.recordsNonces && rules.nonce !== 'ignored') {
    const replay = yield* recordNonce(claim, claim.nonce, judgement)
    if (replay !== undefined) return replay
  }
  const lacking = missingRight(credential.rights, judgement.rights)
  return lacking === undefined
    ? credential
    : refuse('right-missing', `the right ${JSON.stringify(lacking)} is required`)
}

function* findCredential(keyId: string, scheme: string, now: number): Steps<KnownCredential | Refusal> {
  try {
    const found = yield* ask({ kind: 'credential', keyId, scheme })
    if (found === undefined) return refuse('credential-unknown', 'no credential has this key id')
    const credential = knowCredential(found)
    return checkAlive(credential, now) ?? credential
  } catch (failure) {
    return unavailable('the credential could not be had', failure)
  }
}

interface Proof {
  readonly credential: KnownCredential
  readonly algorithm: SignatureAlgorithm
  readonly now: number
}

function* proveMac(
  base: SignatureBase,
  claim: Claim,
  scheme: Scheme,
  proof: Proof,
): Steps<Refusal | undefined> {
  const { secrets } = proof.credential
  const hash = proof.algorithm.hash ?? 'sha256'
  let alive = false
  try {
    // Newest last: most callers sign with the newest.
    for (let i = secrets.length - 1; i >= 0; i--) {
      const secret = secrets[i]
      if (secret === undefined || !isSecretAlive(secret, proof.now)) continue
      alive = true
      const mac = yield* ask({ kind: 'mac', hash, secret: secret.secret, base, encoding: scheme.encoding })
      if (equalText(claim.signature, mac)) return undefined
    }
  } catch (failure) {
    return unproven(failure)
  }
  return alive
    ? refuse('signature-mismatch', 'the MAC fits under no live secret of the credential')
    : refuse('credential-expired', 'every secret of the credential is past its end')
}

function* proveSignature(
  base: SignatureBase,
  claim: Claim,
  scheme: Scheme,
  proof: Omit<Proof, 'now'>,
): Steps<Refusal | undefined> {
  const signature = decoders[scheme.encoding](claim.signature)
  const key = proof.credential.identifiedKey
  if (signature === undefined || key === undefined)
    return refuse('signature-malformed', 'the signature is not properly encoded')
  try {
    const fits = yield* ask({ kind: 'verify', algorithm: proof.algorithm, key, base, signature })
    return fits
      ? undefined
      : refuse('signature-mismatch', 'the signature does not fit under the key of the credential')
  } catch (failure) {
    return unproven(failure)
  }
}

/**
 * Goes through a proof whose outcome is thrown away, so that an unknown or dead key takes as long as a wrong MAC
 * and nobody can tell them apart by the clock.
 */
function* proveNothing(message: Message, scheme: Scheme, claim: Claim, rules: Rules): Steps<void> {
  const given = scheme.base(message, claim, rules)
  const base = 'next' in given ? yield* given : given
  if (isRefusal(base)) return
  yield* proveMac(base, claim, scheme, { credential: decoy, algorithm: decoyAlgorithm, now: 0 })
}

function* recordNonce(claim: Claim, nonce: string, judgement: Judgement): Steps<Refusal | undefined> {
  const token = replayToken(claim.scheme, claim.keyId, nonce)
  const expiresAt = rememberUntil(claim, judgement.rules, judgement.now)
  try {
    const seen = yield* ask({ kind: 'nonce', token, expiresAt })
    return seen === 'fresh' ? undefined : refuse('replayed', 'this key has used this nonce before')
  } catch (failure) {
    return unavailable('the nonce could not be recorded', failure)
  }
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

function chooseClaims(claims: readonly Claim[], rules: Rules): readonly Claim[] {
  const wanted = rules.signatures
  if (wanted === 'any' || wanted === 'all') return claims
  return claims.filter((claim) =>
    'label' in wanted ? claim.label === wanted.label : claim.tag === wanted.tag,
  )
}

function unproven(failure: unknown): Refusal {
  return failure instanceof CountersignError && failure.code === 'algorithm-unsupported'
    ? refuse('algorithm-refused', failure.message)
    : unavailable('the key could not be used', failure)
}

function unavailable(what: string, failure: unknown): Refusal {
  // Only our own errors are known to be free of secrets; of others nothing but the name is repeated.
  const why =
    failure instanceof CountersignError
      ? failure.message
      : failure instanceof Error
        ? failure.name
        : 'failure'
  return refuse('store-unavailable', `${what}: ${why}`)
}

function fallen(scheme: Scheme | undefined, claim: Claim | undefined, refusal: Refusal): Fell {
  return { ok: false, scheme, claim, refusal }
}
