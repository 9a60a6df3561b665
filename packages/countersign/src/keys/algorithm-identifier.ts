import {
  contentOf,
  type DerElement,
  derTag,
  integerOf,
  oidOf,
  readDer,
  readSequence,
  writeDer,
  writeOid,
} from './der.ts'
import { type AsymmetricKind, invalidKey, type KeyMaterial } from './material.ts'

// Object identifiers as the hex of their DER content.
const rsaEncryption = '2a864886f70d010101'
const rsassaPss = '2a864886f70d01010a'
const mgf1 = '2a864886f70d010108'
const sha512 = '608648016503040203'
const ecPublicKey = '2a8648ce3d0201'
const ed25519 = '2b6570'
const curves: Readonly<Record<string, 'p256' | 'p384'>> = {
  '2a8648ce3d030107': 'p256',
  '2b81040022': 'p384',
}

/** What an AlgorithmIdentifier says of a key. RFC 5280 section 4.1.1.2. */
export interface KeyAlgorithm {
  readonly kind: AsymmetricKind
  readonly padding: KeyMaterial['padding']
  /** True for id-RSASSA-PSS, which WebCrypto does not import: the key is written anew with rsaEncryption. */
  readonly isPssOid: boolean
}

/** Reads the AlgorithmIdentifier of a key: RSA, RSASSA-PSS, a named curve, or Ed25519. Refuses all others as `key-invalid`. */
export function readKeyAlgorithm(element: DerElement | undefined): KeyAlgorithm {
  const [oidElement, parameters, ...more] = readDer(contentOf(element, derTag.sequence))
  const oid = oidOf(oidElement)
  if (more.length > 0) throw invalidKey('the algorithm of the key has more than one set of parameters')
  switch (oid) {
    case rsaEncryption:
      if (contentOf(parameters, derTag.nothing).length > 0)
        throw invalidKey('the RSA parameters are not NULL')
      return { kind: 'rsa', padding: undefined, isPssOid: false }
    case rsassaPss:
      if (parameters !== undefined) checkPssParameters(parameters)
      return { kind: 'rsa', padding: 'pss', isPssOid: true }
    case ecPublicKey:
      return { kind: curveOf(parameters), padding: undefined, isPssOid: false }
    case ed25519:
      if (parameters !== undefined) throw invalidKey('an Ed25519 key has no parameters (RFC 8410 section 3)')
      return { kind: 'ed25519', padding: undefined, isPssOid: false }
    default:
      throw invalidKey(
        'expected an RSA, ECDSA P-256, ECDSA P-384 or Ed25519 key, got one of another algorithm',
      )
  }
}

/** Gives the curve that EC parameters name. Explicit parameters are refused: they can describe a curve of the attacker. */
export function curveOf(parameters: DerElement | undefined): 'p256' | 'p384' {
  if (parameters?.tag !== derTag.oid) throw invalidKey('the EC key does not name its curve')
  const curve = curves[oidOf(parameters)]
  if (curve === undefined) throw invalidKey('expected curve P-256 or P-384, got another')
  return curve
}

/** Writes the AlgorithmIdentifier of an RSA key. */
export function writeRsaAlgorithm(): Uint8Array {
  return writeDer(derTag.sequence, [writeOid(rsaEncryption), writeDer(derTag.nothing, [])])
}

/** Writes the AlgorithmIdentifier of an EC key. */
export function writeEcAlgorithm(curve: 'p256' | 'p384'): Uint8Array {
  const oid = Object.keys(curves).find((candidate) => curves[candidate] === curve) ?? ''
  return writeDer(derTag.sequence, [writeOid(ecPublicKey), writeOid(oid)])
}

// A PSS key may bind its hash. rsa-pss-sha512 is the only algorithm here that such a key can serve: SHA-512 in both
// places and a salt of 64 bytes, which the parameters state as a minimum (RFC 4055 sections 1.2 and 3.1).
function checkPssParameters(element: DerElement): void {
  const [hash, mask, salt, ...more] = readDer(contentOf(element, derTag.sequence))
  const [maskOid, maskHash] = readSequence(contentOf(mask, 0xa1))
  const saltLength = integerOf(readDer(contentOf(salt, 0xa2))[0])
  if (
    !isSha512(readDer(contentOf(hash, 0xa0))[0]) ||
    oidOf(maskOid) !== mgf1 ||
    !isSha512(maskHash) ||
    saltLength.length !== 1 ||
    (saltLength[0] ?? 0) > 64 ||
    more.length > 0
  ) {
    throw invalidKey('the RSASSA-PSS key is bound to parameters other than those of rsa-pss-sha512')
  }
}

function isSha512(element: DerElement | undefined): boolean {
  return oidOf(readDer(contentOf(element, derTag.sequence))[0]) === sha512
}
