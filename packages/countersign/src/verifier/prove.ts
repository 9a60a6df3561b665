import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import { decoders } from '../bytes/encoding.ts'
import { equalText } from '../bytes/equal.ts'
import { aliveSecrets } from '../credentials/alive.ts'
import type { Credential } from '../credentials/credential.ts'
import { type KnownCredential, knowCredential } from '../credentials/known.ts'
import { ecdsaFromDer } from '../crypto/ecdsa-der.ts'
import { coordinateBytes } from '../keys/material.ts'
import { secretFrom } from '../keys/secret.ts'
import type { Message } from '../message/message.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal, type Refusal, refuse } from '../reasons/reasons.ts'
import { type BaseContext, type Claim, isSteps, type Scheme } from '../schemes/scheme.ts'
import { answered, ask, type Steps } from '../steps/steps.ts'
import type { Candidate } from './judgement.ts'

/** Longest text of a signature: RSA-8192 in hex. */
const maxSignatureLength = 2048

/** The refusal of a key id that no credential has. */
export const unknown: Refusal = refuse('credential-unknown', 'no credential has this key id')

const decoy = secretFrom.utf8('no message is ever accepted under this one')

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

/** Checks the signature of a claim over its base, under every live secret or the key. */
export function* prove(
  base: SignatureBase,
  { scheme, claim }: Candidate,
  proof: Proof,
): Steps<Refusal | undefined> {
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
  { scheme, claim }: Candidate,
  message: Message,
  context: BaseContext,
  { dead, found }: { readonly dead: Refusal; readonly found: KnownCredential | undefined },
): Steps<Refusal> {
  const given = scheme.base(message, claim, context)
  const base = isSteps(given) ? yield* given : given
  if (isRefusal(base)) return base
  if (!isEncoded(claim, scheme)) return notEncoded(scheme)
  const key = found?.identifiedKey
  const algorithm =
    key === undefined || found === undefined
      ? undefined
      : algorithmFor(scheme, found, claim.algorithm, undefined)
  if (key === undefined || algorithm === undefined || isRefusal(algorithm)) {
    yield* ask({ kind: 'mac', hash: 'sha256', secret: decoy, base, encoding: scheme.encoding })
  } else {
    const signature = signatureBytes(claim, scheme, algorithm)
    if (signature === undefined) return notEncoded(scheme)
    yield* ask({ kind: 'verify', algorithm, key, base, signature })
  }
  return dead
}
