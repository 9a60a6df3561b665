import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import { base64Decode, base64urlDecode } from '../bytes/base64.ts'
import { equalText } from '../bytes/equal.ts'
import { hexDecode } from '../bytes/hex.ts'
import { aliveSecrets, checkAlive } from '../credentials/alive.ts'
import type { Credential } from '../credentials/credential.ts'
import { type KnownCredential, knowCredential } from '../credentials/known.ts'
import { missingRight } from '../credentials/rights.ts'
import { bodyRefusal, compareDigests, readContentDigest } from '../digest/content-digest.ts'
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
import type { Asked, BaseContext, Claim, Scheme } from '../schemes/scheme.ts'
import type { CredentialNeed, TextEncoding } from '../steps/need.ts'
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
/** SHA-512 in hex. */
const maxMacLength = 128

const decoders: Readonly<Record<TextEncoding, (text: string) => Uint8Array | undefined>> = {
  hex: hexDecode,
  base64: base64Decode,
  base64url: base64urlDecode,
}

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
  let first: Stood | Fell | undefined
  for (const candidate of candidates) {
    const { scheme, claim } = candidate
    const outcome = yield* judgeClaim(candidate, candidates.length, message, judgement)
    const result: Stood | Fell = isRefusal(outcome)
      ? fallen(scheme, claim, outcome)
      : { ok: true, scheme, claim, credential: outcome }
    if (result.ok !== all || (!result.ok && result.refusal.reason === 'store-unavailable')) return result
    first ??= result
  }
  return (
    first ?? fallen(undefined, undefined, refuse('signature-absent', 'no acceptable signature was found'))
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

/**
 * Judges one claim: coverage and window, credential, proof, content, nonce, rights, in this order. One generator with its needs
 * in line: each inner one would cost 0.3 us, and a good request has four needs.
 */
function* judgeClaim(
  { scheme, claim }: Candidate,
  sharedBy: number,
  message: Message,
  judgement: Judgement,
): Steps<KnownCredential | Refusal> {
  const { rules, now } = judgement
  const context = sharedBy === 1 ? rules : { limitBytes: rules.limitBytes, sharedBy }
  const early =
    checkCoverage(message, claim, scheme.traits, rules) ??
    checkWindow(claim, scheme.traits, rules, now) ??
    checkNonce(claim, scheme, judgement)
  if (early !== undefined) return early

  let doing = 'the credential could not be had'
  try {
    const credentialNeed: CredentialNeed = { kind: 'credential', keyId: claim.keyId, scheme: scheme.name }
    const credential = aliveCredential(answered('credential', yield credentialNeed), now)
    if (isRefusal(credential)) {
      yield* proveNothing(message, scheme, claim, context)
      return credential
    }
    const algorithm = algorithmFor(scheme, credential, claim.algorithm, rules.algorithms)
    if (isRefusal(algorithm)) return algorithm
    const given = scheme.base(message, claim, context)
    const base = isSteps(given) ? yield* given : given
    if (isRefusal(base)) return base

    doing = 'the key could not be used'
    if (algorithm.hash !== undefined && algorithm.keyKind === 'secret') {
      const { hash } = algorithm
      let proven = false
      for (const { secret } of aliveSecrets(credential, now)) {
        const mac = answered('mac', yield { kind: 'mac', hash, secret, base, encoding: scheme.encoding })
        proven = equalText(claim.signature, mac)
        if (proven) break
      }
      if (!proven) return mismatch(claim, scheme)
    } else {
      const unproven = yield* proveSignature(base, claim, scheme, { credential, algorithm })
      if (unproven !== undefined) return unproven
    }

    doing = 'the content could not be read'
    if (claim.contentDigest !== undefined) {
      const covered = readContentDigest(claim.contentDigest)
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
    doing = 'the credential could not be had'
    if (message.body !== undefined && !(message.body instanceof Uint8Array)) {
      // The content may have taken long to arrive: a key revoked meanwhile is refused.
      const still = aliveCredential(answered('credential', yield credentialNeed), now)
      if (isRefusal(still)) return still
    }
    doing = 'the nonce could not be recorded'
    if (claim.nonce !== undefined && judgement.recordsNonces && rules.nonce !== 'ignored') {
      const token = replayToken(claim.scheme, claim.keyId, claim.nonce)
      const expiresAt = rememberUntil(claim, scheme.traits, rules, now)
      if (answered('nonce', yield { kind: 'nonce', token, expiresAt }) === 'seen') {
        return refuse('replayed', 'this key has used this nonce before')
      }
    }
    const lacking = missingRight(credential.rights, judgement.rights)
    return lacking === undefined
      ? credential
      : refuse('right-missing', `the right ${JSON.stringify(lacking)} is required`)
  } catch (failure) {
    return unavailable(doing, failure)
  }
}

/** Only here is it worth to tell a text that is no MAC at all from a wrong one. */
function mismatch(claim: Claim, scheme: Scheme): Refusal {
  // No MAC is that long, and a long text would be decoded for nothing.
  return claim.signature.length > maxMacLength || decoders[scheme.encoding](claim.signature) === undefined
    ? refuse('signature-malformed', `the signature is not canonical ${scheme.encoding}`)
    : refuse('signature-mismatch', 'the MAC fits under no live secret of the credential')
}

function isSteps<T>(given: Asked<T>): given is Steps<T> {
  return typeof given === 'object' && given !== null && 'next' in given
}

function aliveCredential(found: Credential | undefined, now: number): KnownCredential | Refusal {
  if (found === undefined) return refuse('credential-unknown', 'no credential has this key id')
  const credential = knowCredential(found)
  return checkAlive(credential, now) ?? credential
}

function* proveSignature(
  base: SignatureBase,
  claim: Claim,
  scheme: Scheme,
  { credential, algorithm }: { readonly credential: KnownCredential; readonly algorithm: SignatureAlgorithm },
): Steps<Refusal | undefined> {
  const signature = decoders[scheme.encoding](claim.signature)
  const key = credential.identifiedKey
  if (signature === undefined || key === undefined) {
    return refuse('signature-malformed', 'the signature is not properly encoded')
  }
  const fits = yield* ask({ kind: 'verify', algorithm, key, base, signature })
  return fits
    ? undefined
    : refuse('signature-mismatch', 'the signature does not fit under the key of the credential')
}

/**
 * Goes through a proof whose outcome is thrown away, so that an unknown or dead key takes as long as a wrong MAC
 * and nobody can tell them apart by the clock.
 */
function* proveNothing(message: Message, scheme: Scheme, claim: Claim, context: BaseContext): Steps<void> {
  const given = scheme.base(message, claim, context)
  const base = isSteps(given) ? yield* given : given
  if (isRefusal(base)) return
  yield* ask({ kind: 'mac', hash: 'sha256', secret: decoy, base, encoding: scheme.encoding })
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
