import type { Credential } from '../../credentials/credential.ts'
import type { Backend } from '../../crypto/backend.ts'
import type { Body } from '../../message/body.ts'
import { type RequestMessage, wireRequest } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Reason } from '../../reasons/reasons.ts'
import type { Scheme } from '../../schemes/scheme.ts'
import { createSigner, type Signer } from '../../signer/signer.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { must } from './contract-case.ts'

/** A request that somebody else signed or refused. */
export interface SchemeVector {
  readonly name: string
  readonly message: RequestMessage
  /** What the verifier knows. */
  readonly credentials: readonly Credential[]
  /** Whole seconds since the epoch. */
  readonly now: number
  /** Whether it must be accepted. If so, its tamper matrix must be refused. */
  readonly accepted: boolean
  /** What a signer must make, byte for byte; absent where there is nothing to compare with. */
  readonly signed?: {
    readonly message: RequestMessage
    readonly credential: Credential
    readonly fields: readonly (readonly [name: string, value: string])[]
  }
}

/** What a scheme is proven with. */
export interface SchemeContractInput {
  readonly scheme: Scheme
  /** Signs, and verifies unless `verifying` is given. */
  readonly signing: Credential
  /** Verifies; has the id of `signing`. Default: `signing`. */
  readonly verifying?: Credential
  /** Same id and algorithm as `signing`, another key: its signatures must be refused. */
  readonly stranger: Credential
  /** Whole seconds since the epoch. Default 1700000000. */
  readonly now?: number
  /** Default: the cryptography of the runtime. */
  readonly backend?: Backend
  readonly policy?: Policy
  readonly vectors?: readonly SchemeVector[]
  /** Tells whether the scheme has a form for a request. What it has none for must be refused to the signer. Default: always. */
  readonly signs?: (message: RequestMessage) => boolean
  /**
   * Tells whether the scheme documents two requests as one: signed as the first, accepted as the second.
   * To be decided by means other than the scheme's own. Default: never.
   */
  readonly isSame?: (signed: RequestMessage, received: RequestMessage) => boolean
}

/** Circumstances of one verification that differ from those of the contract. */
export interface Circumstances {
  readonly find?: (keyId: string) => Credential | undefined
  readonly now?: number
}

/** Makes the signer of the contract, or of another instant. */
export function signerOf(input: SchemeContractInput, now: number = nowOf(input)): Signer {
  const { scheme, signing, backend } = input
  return createSigner({
    scheme,
    credential: signing,
    clock: () => now,
    ...(backend === undefined ? {} : { backend }),
  })
}

/** Gives the message with the signature of the contract's signer on it. */
export async function sign(input: SchemeContractInput, message: RequestMessage): Promise<RequestMessage> {
  return applyPatch(message, await signerOf(input).sign(message))
}

/** Judges a message with the contract's verifier. */
export function verify(
  input: SchemeContractInput,
  message: RequestMessage,
  { find, now }: Circumstances = {},
): Promise<Verdict> {
  const { scheme, policy, backend } = input
  const known = input.verifying ?? input.signing
  const verifier = createVerifier({
    schemes: [scheme],
    credentials: find ?? ((keyId) => (keyId === known.id ? known : undefined)),
    clock: () => now ?? nowOf(input),
    ...(policy === undefined ? {} : { policy }),
    ...(backend === undefined ? {} : { backend }),
  })
  return verifier.verify(message)
}

/** Throws unless the verdict is a refusal for one of the reasons. */
export function mustRefuse(verdict: Verdict, ...expected: readonly Reason[]): void {
  must(!verdict.ok, `accepted; expected ${expected.join(' or ')}`)
  must(expected.includes(verdict.reason), `expected ${expected.join(' or ')}, got ${verdict.reason}`)
}

/** Gives the message with field lines added behind the others. */
export function withLines(message: RequestMessage, lines: readonly string[]): RequestMessage {
  return wireRequest({ ...message, fields: [...message.fields, ...lines] })
}

/** The instant of the contract. */
export function nowOf(input: SchemeContractInput): number {
  return input.now ?? 1_700_000_000
}

/** Gives a body that must be bytes. */
export function bytesOf(body: Body): Uint8Array {
  must(body instanceof Uint8Array, 'the body of a signed message is not bytes any more')
  return body
}
