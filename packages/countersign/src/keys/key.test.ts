import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { publishedPairs } from '../testing/contracts/backend-keys.ts'
import { isPrivateKey, type Key, keyFrom, type PublicKeyInput } from './key.ts'

const invalid = expect.objectContaining({ name: 'CountersignError', code: 'key-invalid' })
const weak = expect.objectContaining({ name: 'CountersignError', code: 'key-weak' })
const { subtle } = globalThis.crypto

describe('a key', () => {
  it.each(publishedPairs)('of $section has the same kind and half in every form', (pair) => {
    const kinds = new Set<Key['kind']>()
    for (const input of [pair.publicPem, pair.publicJwk]) {
      kinds.add(keyFrom(input).kind)
      expect(isPrivateKey(keyFrom(input))).toBe(false)
    }
    for (const input of [pair.privatePem, pair.privateJwk]) {
      kinds.add(keyFrom(input).kind)
      expect(isPrivateKey(keyFrom(input))).toBe(true)
    }
    expect(kinds.size).toBe(1)
  })

  it.each([
    ['ed25519', generateKeyPairSync('ed25519')],
    ['p256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['p384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['rsa', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['rsa', generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
  ])('of kind %s is made of KeyObjects', (kind, { publicKey, privateKey }) => {
    expect(keyFrom(publicKey).kind).toBe(kind)
    expect(isPrivateKey(keyFrom(publicKey))).toBe(false)
    expect(isPrivateKey(keyFrom(privateKey))).toBe(true)
  })

  it.each<[string, AlgorithmIdentifier | RsaHashedKeyGenParams | EcKeyGenParams, string]>([
    ['Ed25519', { name: 'Ed25519' }, 'ed25519'],
    ['ECDSA', { name: 'ECDSA', namedCurve: 'P-256' }, 'p256'],
    ['ECDSA', { name: 'ECDSA', namedCurve: 'P-384' }, 'p384'],
    ['RSA-PSS', rsaParameters('RSA-PSS', 'SHA-512', 2048), 'rsa'],
    ['RSASSA-PKCS1-v1_5', rsaParameters('RSASSA-PKCS1-v1_5', 'SHA-256', 2048), 'rsa'],
  ])('is made of CryptoKeys of %s', async (_name, parameters, kind) => {
    const pair = await generate(parameters)
    expect(keyFrom(pair.publicKey).kind).toBe(kind)
    expect(isPrivateKey(keyFrom(pair.publicKey))).toBe(false)
    expect(isPrivateKey(keyFrom(pair.privateKey))).toBe(true)
  })

  it('is refused as CryptoKey of another curve or hash, and of too few bits', async () => {
    const p521 = await generate({ name: 'ECDSA', namedCurve: 'P-521' })
    expect(() => keyFrom(p521.publicKey)).toThrow(invalid)
    for (const parameters of [
      rsaParameters('RSA-PSS', 'SHA-256', 2048),
      rsaParameters('RSASSA-PKCS1-v1_5', 'SHA-512', 2048),
    ]) {
      const pair = await generate(parameters)
      expect(() => keyFrom(pair.publicKey)).toThrow(invalid)
    }
    const short = await generate(rsaParameters('RSA-PSS', 'SHA-512', 1024))
    expect(() => keyFrom(short.publicKey)).toThrow(weak)
  })

  it('is refused as CryptoKey without the usage that its half is for', async () => {
    const [, pair] = publishedPairs
    const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }
    const useless = await subtle.importKey('jwk', pair?.publicJwk ?? {}, ecdsa, true, [])
    expect(() => keyFrom(useless)).toThrow(invalid)
    const ecdh = await subtle.importKey('jwk', pair?.publicJwk ?? {}, { ...ecdsa, name: 'ECDH' }, true, [])
    expect(() => keyFrom(ecdh)).toThrow(invalid)
  })

  it('is refused as a public CryptoKey that cannot be looked into', async () => {
    for (const { publicJwk } of publishedPairs.slice(0, 2)) {
      const web = publicJwk.kty === 'OKP' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
      const open = await subtle.importKey('jwk', publicJwk, web, true, ['verify'])
      const closed = await subtle.importKey('jwk', publicJwk, web, false, ['verify'])
      expect(() => keyFrom(open)).not.toThrow()
      expect(() => keyFrom(closed)).toThrow(invalid)
    }
  })

  it('is refused as a secret of any form', async () => {
    expect(() => keyFrom(createSecretKey(Buffer.alloc(32)))).toThrow(invalid)
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const secret = await subtle.importKey('raw', new Uint8Array(32), hmac, true, ['sign', 'verify'])
    expect(() => keyFrom(secret)).toThrow(invalid)
    expect(() => keyFrom({ kty: 'oct', k: 'AAAA' })).toThrow(invalid)
  })

  it('is refused as KeyObject of a kind that signs nothing here', () => {
    for (const { publicKey, privateKey } of [generateKeyPairSync('x25519'), generateKeyPairSync('ed448')]) {
      expect(() => keyFrom(publicKey)).toThrow(invalid)
      expect(() => keyFrom(privateKey)).toThrow(invalid)
    }
  })

  it('that cannot be exported to be judged is refused with the cause', () => {
    const cause = new Error('the key stays in the hardware')
    const input: PublicKeyInput = {
      type: 'private',
      export: () => {
        throw cause
      },
    }
    expect(() => keyFrom(input)).toThrow(expect.objectContaining({ code: 'key-invalid', cause }))
  })

  it.each([undefined, null, 5, true, [], {}, () => '', new Uint8Array(32), Symbol('key')])(
    'is not made of anything else (case %#)',
    (input) => {
      const given: never = input as never // what untyped callers may pass
      expect(() => keyFrom(given)).toThrow(invalid)
    },
  )

  it('is frozen, and keeps what was given', () => {
    const [pair] = publishedPairs
    const key = keyFrom(pair?.publicJwk ?? {})
    expect(Object.isFrozen(key)).toBe(true)
    expect(key.input).toBe(pair?.publicJwk)
  })
})

function rsaParameters(name: string, hash: string, modulusLength: number): RsaHashedKeyGenParams {
  return { name, hash, modulusLength, publicExponent: Uint8Array.of(1, 0, 1) }
}

async function generate(
  parameters: AlgorithmIdentifier | RsaHashedKeyGenParams | EcKeyGenParams,
): Promise<CryptoKeyPair> {
  const made = await subtle.generateKey(parameters, false, ['sign', 'verify'])
  if (!('publicKey' in made)) throw new Error('expected a pair')
  return made
}
