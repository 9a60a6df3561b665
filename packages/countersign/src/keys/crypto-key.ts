import { ecMaterial, ed25519Material, invalidKey, type KeyMaterial, rsaMaterial } from './material.ts'

/**
 * Reads what a CryptoKey says of itself. WebCrypto binds it to one algorithm, so RSA comes with its padding and hash.
 * Its point or modulus does not show; the backend takes a public one out to judge it, so it has to be extractable.
 * @throws CountersignError `key-invalid`, `key-weak`
 */
export function readCryptoKey(cryptoKey: CryptoKey): KeyMaterial {
  const { type, usages, algorithm } = cryptoKey
  if (type !== 'public' && type !== 'private') {
    throw invalidKey('a CryptoKey of type secret is not a key pair: give it as secret')
  }
  const usage = type === 'public' ? 'verify' : 'sign'
  if (!usages.includes(usage)) throw invalidKey(`the CryptoKey was imported without the usage ${usage}`)
  if (type === 'public' && !cryptoKey.extractable) {
    throw invalidKey('import the public CryptoKey as extractable, so that its point or modulus can be judged')
  }
  const found = { half: type, form: { kind: 'crypto-key', cryptoKey } } as const
  if (algorithm.name === 'Ed25519') return ed25519Material(found, undefined)
  if (algorithm.name === 'ECDSA' && 'namedCurve' in algorithm) {
    if (algorithm.namedCurve === 'P-256') return ecMaterial(found, 'p256', undefined)
    if (algorithm.namedCurve === 'P-384') return ecMaterial(found, 'p384', undefined)
  }
  const padding = paddings.get(`${algorithm.name} ${hashOf(algorithm)}`)
  if (padding === undefined) {
    throw invalidKey(
      'expected a CryptoKey of Ed25519, ECDSA P-256 or P-384, RSA-PSS with SHA-512, or RSASSA-PKCS1-v1_5 with SHA-256',
    )
  }
  return rsaMaterial(found, rsaFactsOf(algorithm), padding)
}

const paddings: ReadonlyMap<string, KeyMaterial['padding']> = new Map([
  ['RSA-PSS SHA-512', 'pss'],
  ['RSASSA-PKCS1-v1_5 SHA-256', 'pkcs1'],
])

function hashOf(algorithm: KeyAlgorithm): unknown {
  const hash: unknown = 'hash' in algorithm ? algorithm.hash : undefined
  return typeof hash === 'object' && hash !== null && 'name' in hash ? hash.name : undefined
}

function rsaFactsOf(algorithm: KeyAlgorithm): {
  readonly modulusBits: number
  readonly exponent: Uint8Array
} {
  const modulusBits: unknown = 'modulusLength' in algorithm ? algorithm.modulusLength : undefined
  const exponent: unknown = 'publicExponent' in algorithm ? algorithm.publicExponent : undefined
  if (typeof modulusBits !== 'number' || !(exponent instanceof Uint8Array)) {
    throw invalidKey('the CryptoKey does not say its modulus length and exponent')
  }
  let zeros = 0
  while (exponent[zeros] === 0) zeros++
  return { modulusBits, exponent: exponent.subarray(zeros) }
}
