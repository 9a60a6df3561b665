import type { Backend } from '../../crypto/backend.ts'
import { keyFrom, type PublicKeyInput } from '../../keys/key.ts'
import type { AsymmetricKind } from '../../keys/material.ts'
import type { ErrorCode } from '../../reasons/error.ts'
import { algorithmNamed, type BackendBehaviour, check, checkRefused, hex } from './backend-check.ts'
import { type PublishedPair, publishedPairs } from './backend-keys.ts'

/** A key that no backend may use. */
interface RefusedKey {
  readonly what: string
  readonly kind: AsymmetricKind
  readonly input: PublicKeyInput
  readonly code: ErrorCode
}

const rsa1024 = [
  '-----BEGIN PUBLIC KEY-----',
  'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCvd4Fux0S9huIiwHswPUCSuPq7',
  'saX+g+EBYuZVl2vIl6rVBpJKTqxt2XAA6ChI/kvcscqZ1IYnJdNVfincDG1MdNfQ',
  'DmRAPWx1sSagDuLBYekN9jkvthRu+EoyMCz1x/iyK7u18yHPHIM1ke5TBYhvBHM/',
  'UCy+nlFT8WzmBWFXlQIDAQAB',
  '-----END PUBLIC KEY-----',
].join('\n')

const refusedKeys: readonly RefusedKey[] = [
  { what: 'RSA of 1024 bits', kind: 'rsa', input: rsa1024, code: 'key-weak' },
  {
    what: 'Ed25519 identity point',
    kind: 'ed25519',
    input: { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
    code: 'key-weak',
  },
  {
    what: 'Ed25519 point of order 8',
    kind: 'ed25519',
    input: { kty: 'OKP', crv: 'Ed25519', x: 'JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU' },
    code: 'key-weak',
  },
  {
    what: 'P-256 point off the curve',
    kind: 'p256',
    input: {
      kty: 'EC',
      crv: 'P-256',
      x: 'qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA',
      y: 'Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F4',
    },
    code: 'key-invalid',
  },
  { what: 'text that is no key', kind: 'rsa', input: 'no key', code: 'key-invalid' },
  { what: 'a symmetric JWK', kind: 'rsa', input: { kty: 'oct', k: 'AAAA' }, code: 'key-invalid' },
]

const algorithmOf: Readonly<Record<AsymmetricKind, string>> = {
  ed25519: 'ed25519',
  p256: 'ecdsa-p256-sha256',
  p384: 'ecdsa-p384-sha384',
  rsa: 'rsa-v1_5-sha256',
}

/** What a backend must refuse even where nobody asked `keyFrom` before, and what it must take as CryptoKey. */
export function keyBehaviours(backend: Backend, lacks: readonly string[]): readonly BackendBehaviour[] {
  return [
    ...refusedKeys.map(({ what, kind, input, code }) => ({
      name: `refuses ${what} when it is taken in and when it is used`,
      run: async () => {
        const algorithm = algorithmNamed(algorithmOf[kind])
        await checkRefused(code, 'checkKey', () => backend.checkKey({ input, kind }))
        // R = identity, S = 0: fits every message under a key of small order.
        const forged = hex(`01${'00'.repeat(63)}`)
        for (let again = 0; again < 2; again++) {
          await checkRefused(code, 'verify', () =>
            backend.verify(algorithm, { input, kind }, { text: 'any' }, forged),
          )
        }
      },
    })),
    ...publishedPairs
      .filter(({ algorithm }) => Object.hasOwn(webAlgorithms, algorithm) && !lacks.includes(algorithm))
      .map((pair) => ({
        name: `${pair.algorithm}: takes CryptoKeys, and only those of the same algorithm`,
        run: () => cryptoKeyBehaviour(backend, pair),
      })),
  ]
}

const webAlgorithms: Readonly<Record<string, RsaHashedImportParams | EcKeyImportParams | Algorithm>> = {
  ed25519: { name: 'Ed25519' },
  'ecdsa-p256-sha256': { name: 'ECDSA', namedCurve: 'P-256' },
  'ecdsa-p384-sha384': { name: 'ECDSA', namedCurve: 'P-384' },
  'rsa-pss-sha512': { name: 'RSA-PSS', hash: 'SHA-512' },
  'rsa-v1_5-sha256': { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
}

async function cryptoKeyBehaviour(backend: Backend, pair: PublishedPair): Promise<void> {
  const { subtle } = globalThis.crypto
  const web = webAlgorithms[pair.algorithm] ?? { name: pair.algorithm }
  const base = { text: pair.base }
  const algorithm = algorithmNamed(pair.algorithm)
  const publicKey = keyFrom(await subtle.importKey('jwk', pair.publicJwk, web, true, ['verify']))
  const privateKey = keyFrom(await subtle.importKey('jwk', pair.privateJwk, web, false, ['sign']))
  await backend.checkKey(publicKey)
  await backend.checkKey(privateKey)
  const signature = await backend.sign(algorithm, privateKey, base)
  check(await backend.verify(algorithm, publicKey, base, signature), 'its own signature')
  check(await backend.verify(algorithm, keyFrom(pair.publicPem), base, signature), 'with PEM as well')
  if (publicKey.kind !== 'rsa') return
  const padding = algorithm.padding === 'pss' ? 'rsa-v1_5-sha256' : 'rsa-pss-sha512'
  await checkRefused('key-invalid', 'the other padding', () =>
    backend.verify(algorithmNamed(padding), publicKey, base, signature),
  )
  // WebCrypto would go by the hash that the key was imported for.
  await checkRefused('key-invalid', 'another hash', () =>
    backend.verify(algorithmNamed('rsa-v1_5-sha512'), publicKey, base, signature),
  )
}
