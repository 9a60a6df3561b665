import type { Clock } from '../clock/clock.ts'
import type { Credential } from '../credentials/credential.ts'
import type { CredentialStore } from '../credentials/store.ts'
import type { Backend } from '../crypto/backend.ts'
import type { MaybePromise } from '../message/body.ts'
import type { Message } from '../message/message.ts'
import type { Policy } from '../policy/policy.ts'
import type { NonceStore } from '../replay/nonce-store.ts'
import type { Scheme } from '../schemes/scheme.ts'
import type { TraceEntry } from '../steps/trace.ts'
import type { Verdict } from './verdict.ts'

/** What `createVerifier` takes. */
export interface VerifierOptions {
  /** Tried in order. */
  readonly schemes: readonly Scheme[]
  /** A store, or a function from key id and scheme to a credential. */
  readonly credentials:
    | CredentialStore
    | ((keyId: string, scheme: string) => MaybePromise<Credential | undefined>)
  /** Absent: replay is not checked. */
  readonly nonces?: NonceStore
  readonly policy?: Policy
  /** Default: the clock of the machine. */
  readonly clock?: Clock
  /** Default: the cryptography of the runtime. */
  readonly backend?: Backend
  /** Told every verdict, for logs and metrics. What it throws is ignored. */
  readonly onVerdict?: (verdict: Verdict, message: Message) => void
}

/** What one verification may say on its own. */
export interface VerifyOptions {
  /** Rights that the credential must have, all of them. */
  readonly rights?: readonly string[]
  /** Fields that differ from the verifier's policy. Pass the same object each time: it is compiled once. */
  readonly policy?: Policy
}

/** A message or a WHATWG `Request`. */
export type Verifiable = Message | Request

/** Judges messages. Never throws on wire input. */
export interface Verifier {
  verify(message: Verifiable, options?: VerifyOptions): Promise<Verdict>
  /** @throws CountersignError `sync-impossible` where a store, the runtime's cryptography or the body can only answer later. */
  verifySync(message: Verifiable, options?: VerifyOptions): Verdict
  /** Verifies and tells what was asked and answered on the way. Records no nonce. For `explain`, never for the hot path. */
  trace(
    message: Verifiable,
    options?: VerifyOptions,
  ): Promise<{ readonly verdict: Verdict; readonly entries: readonly TraceEntry[] }>
}
