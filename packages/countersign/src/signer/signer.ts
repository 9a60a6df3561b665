import { backend as runtimeBackend } from '#backend'
import { type Clock, systemClock } from '../clock/clock.ts'
import type { Credential } from '../credentials/credential.ts'
import { knowCredential } from '../credentials/known.ts'
import type { Backend } from '../crypto/backend.ts'
import { cryptoDriver } from '../crypto/driver.ts'
import type { Message } from '../message/message.ts'
import type { Patch } from '../message/patch.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal } from '../reasons/reasons.ts'
import type { Scheme } from '../schemes/scheme.ts'
import { drive, driveSync } from '../steps/drive.ts'
import type { Driver } from '../steps/need.ts'
import { type Signing, signSteps } from './sign.ts'

/** What `createSigner` takes. */
export interface SignerOptions {
  readonly scheme: Scheme
  /** With a secret, or with a private key. Of several secrets the newest live one signs. */
  readonly credential: Credential
  /** Default: the clock of the machine. */
  readonly clock?: Clock
  /** Default: the cryptography of the runtime. */
  readonly backend?: Backend
}

/** Signs messages: gives the fields to set on them. */
export interface Signer {
  /** Name of the scheme it signs with. */
  readonly scheme: string
  /** Id of the key it signs with. */
  readonly keyId: string
  /** @throws CountersignError where the message cannot be signed (`component-unavailable`, `body-unavailable`, `key-invalid`). */
  sign(message: Message): Promise<Patch>
  /** As `sign`; also throws `sync-impossible` where the runtime's cryptography can only answer later. */
  signSync(message: Message): Patch
}

/**
 * Makes a signer.
 * @throws CountersignError `key-invalid`, `key-weak` or `config-invalid` where the credential cannot sign in this scheme.
 */
export function createSigner(options: SignerOptions): Signer {
  const { scheme, clock = systemClock, backend = runtimeBackend } = options
  const credential = knowCredential(options.credential)
  const algorithm = algorithmFor(scheme, credential, undefined, undefined)
  if (isRefusal(algorithm))
    throw new CountersignError('config-invalid', `${scheme.name}: ${algorithm.detail}`)
  const driver: Driver = { ...cryptoDriver(backend), credential: neverAsked, nonce: neverAsked, time: clock }
  const signing = (): Signing => ({ scheme, credential, algorithm, now: clock() })
  return {
    scheme: scheme.name,
    keyId: credential.id,
    sign: async (message) => drive(signSteps(message, signing()), driver),
    signSync: (message) => driveSync(signSteps(message, signing()), driver),
  }
}

function neverAsked(): never {
  throw new CountersignError('config-invalid', 'a scheme asked for a credential or nonce while signing')
}
