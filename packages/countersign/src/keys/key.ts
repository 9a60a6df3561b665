import type { KeyKind } from '../algorithms/signatures.ts'

/** A JSON Web Key. RFC 7517. */
export interface Jwk {
  readonly kty?: string
  readonly crv?: string
  readonly alg?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly [member: string]: unknown
}

/** What of a node:crypto `KeyObject` is looked at. */
export interface KeyObjectLike {
  readonly type: string
  readonly asymmetricKeyType?: string | undefined
  export(options: { readonly format: 'jwk' }): Jwk
}

/** A key pair's half in any usual form: PEM text, JWK, CryptoKey or node:crypto KeyObject. Private for signing. */
export type PublicKeyInput = string | Jwk | CryptoKey | KeyObjectLike

/** A key as a backend takes it. Backends cache what they import by the identity of this object. */
export interface Key {
  readonly input: PublicKeyInput
  readonly kind: Exclude<KeyKind, 'secret'>
}
