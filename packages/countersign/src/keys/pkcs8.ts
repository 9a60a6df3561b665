import { curveOf, readKeyAlgorithm, writeEcAlgorithm, writeRsaAlgorithm } from './algorithm-identifier.ts'
import { contentOf, derTag, integerOf, readDer, readSequence, writeDer } from './der.ts'
import {
  bitsOfModulus,
  coordinateBytes,
  ecMaterial,
  ed25519Material,
  invalidKey,
  type KeyMaterial,
  rsaMaterial,
} from './material.ts'

const versionZero = writeDer(derTag.integer, [Uint8Array.of(0)])

/** Reads a PKCS#8 private key, RFC 5208, or with its public half, RFC 5958. */
export function readPkcs8(der: Uint8Array): KeyMaterial {
  const [version, algorithm, wrapped, ...more] = readSequence(der)
  const versionNumber = integerOf(version)[0] ?? 0
  // Version 1 says that the public half follows; [0] holds attributes, [1] the public half.
  if (versionNumber > 1 || more.some(({ tag }) => tag !== 0xa0 && !(tag === 0x81 && versionNumber === 1))) {
    throw invalidKey('the PKCS#8 structure is of an unknown version')
  }
  const { kind, padding, isPssOid } = readKeyAlgorithm(algorithm)
  const bytes = contentOf(wrapped, derTag.octetString)
  const found = { half: 'private', form: { kind: 'pkcs8', der } } as const
  if (kind === 'rsa') return isPssOid ? readRsaPrivateKey(bytes, padding) : rsa(bytes, der, padding)
  if (kind === 'ed25519') {
    // RFC 8410 section 7: an OCTET STRING within the OCTET STRING.
    const [seed, ...rest] = readDer(bytes)
    if (contentOf(seed, derTag.octetString).length !== 32 || rest.length > 0) {
      throw invalidKey('expected an Ed25519 private key of 32 bytes')
    }
    return ed25519Material(found, undefined)
  }
  const [ecVersion, scalar] = readSequence(bytes)
  checkScalar(integerOf(ecVersion)[0], contentOf(scalar, derTag.octetString), kind)
  return ecMaterial(found, kind, undefined)
}

/** Reads an RSAPrivateKey (RFC 8017 appendix A.1.2), as in `BEGIN RSA PRIVATE KEY`. */
export function readRsaPrivateKey(der: Uint8Array, padding: KeyMaterial['padding']): KeyMaterial {
  return rsa(der, wrap(writeRsaAlgorithm(), der), padding)
}

/** Reads an ECPrivateKey (RFC 5915), as in `BEGIN EC PRIVATE KEY`. */
export function readEcPrivateKey(der: Uint8Array): KeyMaterial {
  const [version, scalar, ...more] = readSequence(der)
  const parameters = more.find(({ tag }) => tag === 0xa0)
  if (parameters === undefined) throw invalidKey('the EC key does not name its curve')
  const kind = curveOf(readDer(parameters.content)[0])
  checkScalar(integerOf(version)[0], contentOf(scalar, derTag.octetString), kind)
  return ecMaterial(
    { half: 'private', form: { kind: 'pkcs8', der: wrap(writeEcAlgorithm(kind), der) } },
    kind,
    undefined,
  )
}

function wrap(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return writeDer(derTag.sequence, [versionZero, algorithm, writeDer(derTag.octetString, [key])])
}

function checkScalar(version: number | undefined, scalar: Uint8Array, kind: 'p256' | 'p384'): void {
  if (version !== 1 || scalar.length !== coordinateBytes(kind)) {
    throw invalidKey(`expected an EC private key of ${coordinateBytes(kind)} bytes`)
  }
}

function rsa(rsaPrivateKey: Uint8Array, pkcs8: Uint8Array, padding: KeyMaterial['padding']): KeyMaterial {
  const elements = readSequence(rsaPrivateKey)
  const numbers = elements.map(integerOf)
  const [version, modulus, exponent] = numbers
  // Version 1 is a modulus of more than two primes, which WebCrypto cannot take.
  if (numbers.length !== 9 || version?.[0] !== 0 || modulus === undefined || exponent === undefined) {
    throw invalidKey('expected an RSA private key of two primes with all nine numbers')
  }
  return rsaMaterial(
    { half: 'private', form: { kind: 'pkcs8', der: pkcs8 } },
    { modulusBits: bitsOfModulus(modulus), exponent },
    padding,
  )
}
