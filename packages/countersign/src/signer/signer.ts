import type { Clock } from '../clock/clock.ts'
import type { Credential } from '../credentials/credential.ts'
import type { Backend } from '../crypto/backend.ts'
import type { Message } from '../message/message.ts'
import type { Patch } from '../message/patch.ts'
import type { Scheme } from '../schemes/scheme.ts'

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
