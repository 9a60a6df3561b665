import { readKeyAlgorithm, writeRsaAlgorithm } from './algorithm-identifier.ts'
import { bitsOf, derTag, integerOf, readSequence, writeDer } from './der.ts'
import {
  bitsOfModulus,
  ecMaterial,
  ed25519Material,
  invalidKey,
  type KeyMaterial,
  rsaMaterial,
} from './material.ts'

/** Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). Refuses compressed and hybrid EC points. */
export function readSpki(der: Uint8Array): KeyMaterial {
  const [algorithm, bits, ...more] = readSequence(der)
  const { kind, padding, isPssOid } = readKeyAlgorithm(algorithm)
  if (more.length > 0) throw invalidKey('the public key has something behind its end')
  const bytes = bitsOf(bits)
  const found = { half: 'public', form: { kind: 'spki', der } } as const
  if (kind === 'ed25519') return ed25519Material(found, bytes)
  if (kind === 'rsa') return isPssOid ? readRsaPublicKey(bytes, padding) : rsa(bytes, der, padding)
  if (bytes[0] !== 4) throw invalidKey('expected an uncompressed EC point')
  return ecMaterial(found, kind, bytes.subarray(1))
}

/** Reads an RSAPublicKey (RFC 8017 appendix A.1.1), as in `BEGIN RSA PUBLIC KEY`. */
export function readRsaPublicKey(der: Uint8Array, padding: KeyMaterial['padding']): KeyMaterial {
  const bits = writeDer(derTag.bitString, [Uint8Array.of(0), der])
  return rsa(der, writeDer(derTag.sequence, [writeRsaAlgorithm(), bits]), padding)
}

function rsa(rsaPublicKey: Uint8Array, spki: Uint8Array, padding: KeyMaterial['padding']): KeyMaterial {
  const [modulus, exponent, ...more] = readSequence(rsaPublicKey)
  if (more.length > 0) throw invalidKey('the RSA key has more than a modulus and an exponent')
  return rsaMaterial(
    { half: 'public', form: { kind: 'spki', der: spki } },
    { modulusBits: bitsOfModulus(integerOf(modulus)), exponent: integerOf(exponent) },
    padding,
  )
}
