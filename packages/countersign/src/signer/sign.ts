import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import { encoders } from '../bytes/encoding.ts'
import { aliveSecrets } from '../credentials/alive.ts'
import type { KnownCredential } from '../credentials/known.ts'
import { ecdsaToDer } from '../crypto/ecdsa-der.ts'
import type { Message } from '../message/message.ts'
import type { Patch } from '../message/patch.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal } from '../reasons/reasons.ts'
import { isSteps, type Scheme } from '../schemes/scheme.ts'
import { answered, ask, type Steps } from '../steps/steps.ts'

/** Everything one signature is made with. */
export interface Signing {
  readonly scheme: Scheme
  readonly credential: KnownCredential
  readonly algorithm: SignatureAlgorithm
  /** Whole seconds since the epoch. */
  readonly now: number
}

/** Nothing limits what a signer reads of its own content. */
const context = { limitBytes: Number.MAX_SAFE_INTEGER }

/** Signs a message: draft, the same base that verifies, signature, patch. */
export function* signSteps(message: Message, signing: Signing): Steps<Patch> {
  const { scheme, credential, algorithm, now } = signing
  if (message.problem !== undefined) throw new CountersignError('component-unavailable', message.problem)
  const draft = yield* scheme.draft({ message, keyId: credential.id, algorithm, now })
  const given = scheme.base(draft.message, draft.claim, context)
  const base = isSteps(given) ? yield* given : given
  if (isRefusal(base)) throw new CountersignError('component-unavailable', base.detail)
  const { encoding } = scheme
  if (algorithm.hash === undefined || algorithm.keyKind !== 'secret') {
    return scheme.write(draft, yield* keySignature(base, signing))
  }
  const { hash } = algorithm
  const secret = aliveSecrets(credential, now)[0]?.secret
  if (secret === undefined) throw unusable(credential, 'has no live secret to sign with')
  return scheme.write(draft, answered('mac', yield { kind: 'mac', hash, secret, base, encoding }))
}

function* keySignature(base: SignatureBase, { scheme, credential, algorithm }: Signing): Steps<string> {
  if (credential.identifiedKey === undefined) throw unusable(credential, 'has no private key to sign with')
  const bytes = yield* ask({ kind: 'sign', algorithm, key: credential.identifiedKey, base })
  const isDer = scheme.ecdsaForm === 'der' && (algorithm.keyKind === 'p256' || algorithm.keyKind === 'p384')
  return encoders[scheme.encoding](isDer ? ecdsaToDer(bytes) : bytes)
}

function unusable({ id }: KnownCredential, why: string): CountersignError {
  return new CountersignError('key-invalid', `credential ${JSON.stringify(id)} ${why}`)
}
