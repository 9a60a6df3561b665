import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import { decoders } from '../bytes/encoding.ts'
import { equalText } from '../bytes/equal.ts'
import { aliveSecrets, checkAlive } from '../credentials/alive.ts'
import type { Credential } from '../credentials/credential.ts'
import { type KnownCredential, knowCredential } from '../credentials/known.ts'
import { ecdsaFromDer } from '../crypto/ecdsa-der.ts'
import { coordinateBytes } from '../keys/material.ts'
import type { Message } from '../message/message.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal, type Refusal, refuse } from '../reasons/reasons.ts'
import type { Asked, Claim, Scheme } from '../schemes/scheme.ts'
import type { MacNeed } from '../steps/need.ts'
import { answered, ask, type Steps } from '../steps/steps.ts'
import type { Candidate, Judgement } from './judgement.ts'

/** Longest text of a signature: RSA-8192 in hex. */
const maxSignatureLength = 2048

/** The refusal of a key id that no credential has. */
export const unknown: Refusal = refuse('credential-unknown', 'no credential has this key id')

const decoy = knowCredential({ id: 'nobody', secret: 'no message is ever accepted under this one' })
const decoyAlgorithm: SignatureAlgorithm = {
  name: 'hmac-sha256',
  keyKind: 'secret',
  hash: 'sha256',
  status: 'current',
}

/** Makes what a store gave ready; a store that answers with another key id has failed. */
export function knownCredential(found: Credential | undefined, keyId: string): KnownCredential | undefined {
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

/** What a signature is checked with. */
export interface Proof {
  readonly credential: KnownCredential
  readonly algorithm: SignatureAlgorithm
  /** Whole seconds since the epoch. */
  readonly now: number
}

/** A claim with what is needed to check its signature. */
export interface Opened extends Proof {
  /** What is signed, at once or in steps. */
  readonly base: Asked<SignatureBase | Refusal>
  /** Why the credential does not count, for one that is dead or not there. */
  readonly dead: Refusal | undefined
}

/** Puts together what a proof needs, of the credential that was found or in place of one that was not. */
export function open(
  { scheme, claim }: Candidate,
  found: Credential | undefined,
  message: Message,
  { rules, now }: Judgement,
  sharedBy: number,
): Opened | Refusal {
  const credential = knownCredential(found, claim.keyId)
  const dead = credential === undefined ? unknown : checkAlive(credential, now)
  const claimed = dead === undefined ? claim.algorithm : undefined
  const bound =
    credential === undefined ? decoyAlgorithm : algorithmFor(scheme, credential, claimed, rules.algorithms)
  if (isRefusal(bound) && dead === undefined) return bound
  // Without a live secret there is nothing to try; the decoy takes as long.
  const isProvable =
    credential !== undefined &&
    !isRefusal(bound) &&
    (credential.identifiedKey !== undefined || aliveSecrets(credential, now).length > 0)
  const context = sharedBy === 1 ? rules : { limitBytes: rules.limitBytes, sharedBy }
  return {
    credential: isProvable ? credential : decoy,
    algorithm: isProvable ? bound : decoyAlgorithm,
    now,
    base: scheme.base(message, claim, context),
    dead,
  }
}

/** Asks for the MAC under the newest live secret, which is nearly always the one; `undefined` for other keys. */
export function newestMac(
  { credential, algorithm, now }: Proof,
  base: SignatureBase,
  scheme: Scheme,
): MacNeed | undefined {
  if (algorithm.hash === undefined || algorithm.keyKind !== 'secret') return undefined
  const newest = aliveSecrets(credential, now)[0]
  return newest === undefined
    ? undefined
    : { kind: 'mac', hash: algorithm.hash, secret: newest.secret, base, encoding: scheme.encoding }
}

/** Checks the signature of a claim over its base, under the key, or every live secret but the newest `tried` ones. */
export function* prove(
  base: SignatureBase,
  { scheme, claim }: Candidate,
  proof: Proof,
  tried = 0,
): Steps<Refusal | undefined> {
  const { credential, algorithm, now } = proof
  const { encoding } = scheme
  if (algorithm.hash !== undefined && algorithm.keyKind === 'secret') {
    const { hash } = algorithm
    for (const { secret } of aliveSecrets(credential, now).slice(tried)) {
      if (equalText(claim.signature, answered('mac', yield { kind: 'mac', hash, secret, base, encoding })))
        return undefined
    }
    return isEncoded(claim, scheme)
      ? refuse('signature-mismatch', 'the MAC fits under no live secret of the credential')
      : notEncoded(scheme)
  }
  const key = credential.identifiedKey
  const signature = signatureBytes(claim, scheme, algorithm)
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

/** Gives the signature as a backend takes it, or `undefined` where it is not in the one form of its scheme. */
function signatureBytes(
  claim: Claim,
  scheme: Scheme,
  { keyKind }: SignatureAlgorithm,
): Uint8Array | undefined {
  const decoded = isEncoded(claim, scheme) ? decoders[scheme.encoding](claim.signature) : undefined
  if (scheme.ecdsaForm !== 'der' || decoded === undefined) return decoded
  return keyKind === 'p256' || keyKind === 'p384' ? ecdsaFromDer(decoded, coordinateBytes(keyKind)) : decoded
}

function notEncoded(scheme: Scheme): Refusal {
  return refuse('signature-malformed', `the signature is not canonical ${scheme.encoding}`)
}

/**
 * Goes through the proof of an unknown or dead key and refuses as that of a live one would be refused, so that neither the answer
 * nor the clock tells them apart. An unknown key id costs what an HMAC costs, whatever kind of key others have.
 */
export function* proveNothing(
  candidate: Candidate,
  base: SignatureBase | Refusal,
  opened: Opened,
): Steps<Refusal> {
  if (isRefusal(base)) return base
  const dead = opened.dead ?? unknown
  const unproven = yield* prove(base, candidate, opened)
  return unproven?.reason === 'signature-malformed' ? unproven : dead
}
