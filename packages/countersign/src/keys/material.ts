import type { KeyKind, SignatureAlgorithm } from '../algorithms/signatures.ts'
import { CountersignError } from '../reasons/error.ts'
import { isEcPointOnCurve } from './ec-point.ts'
import { isNonCanonicalPoint, isPointOnCurve, isSmallOrderPoint } from './ed25519-point.ts'

/** Kind of an asymmetric key. */
export type AsymmetricKind = Exclude<KeyKind, 'secret'>

/** Members of a JWK that hold the key itself; anything else about it has been judged and left out. */
export type JwkMaterial = Readonly<Record<string, string>>

/** The form in which a backend imports a key. DER names no algorithm but rsaEncryption, id-ecPublicKey and id-Ed25519. */
export type KeyForm =
  | { readonly kind: 'spki'; readonly der: Uint8Array }
  | { readonly kind: 'pkcs8'; readonly der: Uint8Array }
  | { readonly kind: 'jwk'; readonly jwk: JwkMaterial }
  | { readonly kind: 'crypto-key'; readonly cryptoKey: CryptoKey }

/** A key that was read and found fit for use, as far as that shows without arithmetic on the curve or modulus. */
export interface KeyMaterial {
  readonly kind: AsymmetricKind
  readonly half: 'public' | 'private'
  readonly form: KeyForm
  /** The one RSA padding that the key allows, with one hash (`pss` SHA-512, `pkcs1` SHA-256); `undefined` where it allows any. */
  readonly padding: 'pss' | 'pkcs1' | undefined
  /** Encoded Ed25519 point, where it is at hand. */
  readonly point: Uint8Array | undefined
  /** Exact length of its signatures, in bytes. ECDSA as `r || s`. */
  readonly signatureBytes: number
}

/** Half and form of a key, as its reader found them. */
export interface FoundKey {
  readonly half: KeyMaterial['half']
  readonly form: KeyForm
}

/** Makes the error for a key that cannot be read or is of no use here. Never holds key bytes. */
export function invalidKey(problem: string, cause?: unknown): CountersignError {
  return new CountersignError('key-invalid', `key: ${problem}`, cause === undefined ? undefined : { cause })
}

/** Makes the error for a key that can be read and must not be used. */
function weakKey(problem: string): CountersignError {
  return new CountersignError('key-weak', `key: ${problem}`)
}

/** Material of an Ed25519 key. `point` is judged where it is at hand: 32 bytes, canonical, not of small order. */
export function ed25519Material(found: FoundKey, point: Uint8Array | undefined): KeyMaterial {
  if (point !== undefined) {
    if (point.length !== 32) throw invalidKey(`expected an Ed25519 point of 32 bytes, got ${point.length}`)
    // With such a key R = identity, S = 0 fits every message on Node 20 and 22; Node 24 refuses.
    if (isSmallOrderPoint(point))
      throw weakKey('the Ed25519 point has a small order: anybody can sign for it')
    if (isNonCanonicalPoint(point)) throw invalidKey('the Ed25519 point is not canonically encoded')
  }
  return { ...found, kind: 'ed25519', padding: undefined, point, signatureBytes: 64 }
}

/** Refuses an Ed25519 key off the curve, which no runtime does at import. For keys that are taken in: it takes 1 ms. */
export function checkPoint({ point }: KeyMaterial): void {
  if (point !== undefined && !isPointOnCurve(point)) throw invalidKey('the Ed25519 point is not on the curve')
}

/** Size of a coordinate of the curve, in bytes. */
export function coordinateBytes(kind: 'p256' | 'p384'): number {
  return kind === 'p256' ? 32 : 48
}

/** Material of an ECDSA key. `coordinates` (x, then y) are judged where they are at hand: the size and being on the curve. */
export function ecMaterial(
  found: FoundKey,
  kind: 'p256' | 'p384',
  coordinates: Uint8Array | undefined,
): KeyMaterial {
  const size = coordinateBytes(kind)
  if (coordinates !== undefined) {
    if (coordinates.length !== 2 * size) throw invalidKey(`expected an EC point of two times ${size} bytes`)
    if (!isEcPointOnCurve(kind, coordinates.subarray(0, size), coordinates.subarray(size))) {
      throw invalidKey('the EC point is not on its curve')
    }
  }
  return { ...found, kind, padding: undefined, point: undefined, signatureBytes: 2 * size }
}

/** What is judged of an RSA key. */
export interface RsaFacts {
  readonly modulusBits: number
  /** Big-endian without leading zero bytes. */
  readonly exponent: Uint8Array
}

/**
 * Material of an RSA key. Refuses as weak: a modulus under 2048 or over 16384 bits or of a size that is no multiple
 * of 8; an exponent that is even, 1, or longer than 64 bits (OpenSSL's own limit, against slow keys).
 */
export function rsaMaterial(found: FoundKey, facts: RsaFacts, padding: KeyMaterial['padding']): KeyMaterial {
  const { modulusBits, exponent } = facts
  if (modulusBits < 2048 || modulusBits > 16_384 || modulusBits % 8 !== 0) {
    throw weakKey(`expected an RSA modulus of 2048 to 16384 bits, a multiple of 8; got ${modulusBits}`)
  }
  if (isEven(exponent)) throw weakKey('the RSA exponent is even')
  if (exponent.length === 1 && exponent[0] === 1) throw weakKey('the RSA exponent is 1')
  if (exponent.length > 8) throw weakKey('the RSA exponent is longer than 64 bits')
  return { ...found, kind: 'rsa', padding, point: undefined, signatureBytes: modulusBits / 8 }
}

/** Gives the size of a modulus, big-endian without leading zero bytes. Refuses an even one as weak. */
export function bitsOfModulus(modulus: Uint8Array): number {
  if (isEven(modulus)) throw weakKey('the RSA modulus is even')
  return modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24)
}

function isEven(number: Uint8Array): boolean {
  return ((number[number.length - 1] ?? 0) & 1) === 0
}

/**
 * Checks that a key is the wanted half and fits an algorithm.
 * @throws CountersignError `key-invalid` for another kind of key, the other half, or RSA bound to the other padding
 */
export function checkUse(
  material: KeyMaterial,
  algorithm: SignatureAlgorithm,
  half: KeyMaterial['half'],
): void {
  if (material.kind !== algorithm.keyKind) {
    throw invalidKey(`${algorithm.name} takes a key of kind ${algorithm.keyKind}, got ${material.kind}`)
  }
  if (material.half !== half) {
    throw invalidKey(`expected the ${half} half of a key pair, got the ${material.half} one`)
  }
  const { padding } = material
  if (padding === undefined) return
  // WebCrypto would go by the hash of the key and not by that of the algorithm.
  if (padding !== algorithm.padding || algorithm.hash !== (padding === 'pss' ? 'sha512' : 'sha256')) {
    throw invalidKey(
      `${algorithm.name} cannot use it: the key is bound to RSA padding ${padding} and its hash`,
    )
  }
}
