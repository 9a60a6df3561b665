import { readCryptoKey } from './crypto-key.ts'
import { type Jwk, readJwk } from './jwk.ts'
import { type AsymmetricKind, checkPoint, invalidKey, type KeyMaterial } from './material.ts'
import { readPem } from './pem.ts'
import { readPkcs8 } from './pkcs8.ts'
import { readSpki } from './spki.ts'

/** What of a node:crypto `KeyObject` is looked at. */
export interface KeyObjectLike {
  readonly type: string
  readonly asymmetricKeyType?: string | undefined
  export(options: { readonly format: 'der'; readonly type: 'spki' | 'pkcs8' }): Uint8Array
}

/** A key pair's half in any usual form: PEM text, JWK, CryptoKey or node:crypto KeyObject. Private for signing. */
export type PublicKeyInput = string | Jwk | CryptoKey | KeyObjectLike

/** A key as a backend takes it. Backends cache what they import by the identity of this object. */
export interface Key {
  readonly input: PublicKeyInput
  readonly kind: AsymmetricKind
}

/**
 * Makes a key of any usual form, and finds its kind.
 * Refuses RSA under 2048 bits or with a bad exponent, Ed25519 points of small order, kinds that no algorithm here
 * takes, points off their curve, ambiguous JWKs, encrypted PEM. Takes 1 ms for Ed25519, once for each key.
 * @throws CountersignError `key-invalid`, `key-weak`
 */
export function keyFrom(input: PublicKeyInput): Key {
  const material = readKey(input)
  checkPoint(material)
  return Object.freeze({ input, kind: material.kind })
}

/** Tells whether a key is the private half: right for signing, a mistake where a public key is expected. */
export function isPrivateKey(key: Key): boolean {
  return readKey(key.input).half === 'private'
}

/**
 * Reads a key of any usual form, and judges it. For backends, which import what it gives.
 * @throws CountersignError `key-invalid`, `key-weak`
 */
export function readKey(input: PublicKeyInput): KeyMaterial {
  if (typeof input === 'string') return readPem(input)
  if (typeof input === 'object' && input !== null) {
    if (isJwk(input)) return readJwk(input)
    if (isKeyObject(input)) return readKeyObject(input)
    if (isCryptoKey(input)) return readCryptoKey(input)
  }
  throw invalidKey('expected PEM text, a JWK, a CryptoKey or a KeyObject')
}

function isJwk(input: object): input is Jwk {
  return 'kty' in input
}

function isKeyObject(input: object): input is KeyObjectLike {
  return 'export' in input && typeof input.export === 'function'
}

function isCryptoKey(input: object): input is CryptoKey {
  return 'algorithm' in input && typeof input.algorithm === 'object' && 'usages' in input && 'type' in input
}

function readKeyObject(keyObject: KeyObjectLike): KeyMaterial {
  const { type } = keyObject
  if (type !== 'public' && type !== 'private') {
    throw invalidKey('a KeyObject of type secret is not a key pair: give it as secret')
  }
  let der: Uint8Array
  try {
    der = keyObject.export({ format: 'der', type: type === 'public' ? 'spki' : 'pkcs8' })
  } catch (cause) {
    throw invalidKey('the KeyObject cannot be exported to be judged', cause)
  }
  // A copy of its own: what is exported may be a window on a pool.
  const bytes = new Uint8Array(der)
  return type === 'public' ? readSpki(bytes) : readPkcs8(bytes)
}
