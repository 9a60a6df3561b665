import type { HashName } from '../algorithms/hashes.ts'
import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import type { TextEncoding } from '../bytes/encoding.ts'
import type { Credential } from '../credentials/credential.ts'
import type { Key } from '../keys/key.ts'
import type { Secret } from '../keys/secret.ts'
import type { Body, BodyProblem, MaybePromise } from '../message/body.ts'
import type { SignatureBase } from '../message/signature-base.ts'

/** Asks for the credential of a key id. */
export interface CredentialNeed {
  readonly kind: 'credential'
  readonly keyId: string
  readonly scheme: string
}

/** Asks for the bytes of the body, up to a limit. */
export interface BodyNeed {
  readonly kind: 'body'
  readonly body: Body
  readonly limitBytes: number
}

/** Asks for base64 digests of the body, up to a limit, one for each hash. */
export interface BodyDigestNeed {
  readonly kind: 'body-digest'
  readonly body: Body
  readonly hashNames: readonly HashName[]
  readonly limitBytes: number
}

/** Asks for the HMAC of a signature base. */
export interface MacNeed {
  readonly kind: 'mac'
  readonly hash: HashName
  readonly secret: Secret
  readonly base: SignatureBase
  readonly encoding: TextEncoding
}

/** Asks whether an asymmetric signature fits a signature base. */
export interface VerifyNeed {
  readonly kind: 'verify'
  readonly algorithm: SignatureAlgorithm
  readonly key: Key
  readonly base: SignatureBase
  readonly signature: Uint8Array
}

/** Asks for an asymmetric signature. */
export interface SignNeed {
  readonly kind: 'sign'
  readonly algorithm: SignatureAlgorithm
  readonly key: Key
  readonly base: SignatureBase
}

/** Asks to record a replay token until an instant, and whether it was there already. */
export interface NonceNeed {
  readonly kind: 'nonce'
  readonly token: string
  readonly expiresAt: number
}

/** Asks for fresh random text: base64url of that many bytes. */
export interface RandomNeed {
  readonly kind: 'random'
  readonly byteLength: number
}

/** Asks for the present. Steps know the time they began at; this is for those that went on for long. */
export interface TimeNeed {
  readonly kind: 'time'
}

/** What can be asked for, by kind. The set is closed: floors 2 to 4 ask, drivers answer. */
export interface Needs {
  readonly credential: CredentialNeed
  readonly body: BodyNeed
  readonly 'body-digest': BodyDigestNeed
  readonly mac: MacNeed
  readonly verify: VerifyNeed
  readonly sign: SignNeed
  readonly nonce: NonceNeed
  readonly random: RandomNeed
  readonly time: TimeNeed
}

/** What is answered, by kind of need. */
export interface Answers {
  readonly credential: Credential | undefined
  readonly body: Uint8Array | BodyProblem
  readonly 'body-digest': readonly string[] | BodyProblem
  readonly mac: string
  readonly verify: boolean
  readonly sign: Uint8Array
  readonly nonce: 'fresh' | 'seen'
  readonly random: string
  /** Whole seconds since the epoch. */
  readonly time: number
}

/** Kind of a need. */
export type NeedKind = keyof Needs

/** One need. */
export type Need = Needs[NeedKind]

/** The answer to one need. */
export type AnswerTo<N extends Need> = Answers[N['kind']]

/** Answers each kind of need, at once or later. A failure is thrown or rejected; the steps decide what it means. */
export type Driver = { readonly [K in NeedKind]: (need: Needs[K]) => MaybePromise<Answers[K]> }

/** Has a driver answer one need. */
export function answer(driver: Driver, need: Need): MaybePromise<Answers[NeedKind]> {
  switch (need.kind) {
    case 'credential':
      return driver.credential(need)
    case 'mac':
      return driver.mac(need)
    case 'body-digest':
      return driver['body-digest'](need)
    case 'nonce':
      return driver.nonce(need)
    case 'body':
      return driver.body(need)
    case 'verify':
      return driver.verify(need)
    case 'sign':
      return driver.sign(need)
    case 'random':
      return driver.random(need)
    case 'time':
      return driver.time(need)
    default:
      return need satisfies never
  }
}
