import { createHash, createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type HashName, hashes } from '../algorithms/hashes.ts'
import { signatureAlgorithms } from '../algorithms/signatures.ts'
import { keyFrom } from '../keys/key.ts'
import { secretFrom } from '../keys/secret.ts'
import { backendContract } from '../testing/contracts/backend.ts'
import { algorithmNamed } from '../testing/contracts/backend-check.ts'
import { backend } from './node.ts'

const hashNames: readonly HashName[] = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']

// mulberry32: the same texts and bytes on every run.
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

describe('the node:crypto backend', () => {
  for (const { name, run } of backendContract(backend)) it(name, run)

  it('gives what createHmac and createHash give, for any sizes and any characters', () => {
    const roll = dice(1)
    const letters = ['a', 'Z', '\n', 'é', '€', '😀', '\ud800', '\0']
    for (let round = 0; round < 3000; round++) {
      const hash = hashNames[roll(hashNames.length)] ?? 'sha256'
      const key = Buffer.from(Array.from({ length: roll(200) }, () => roll(256)))
      const longest = round % 50 === 0 ? 40_000 : 300
      const text = Array.from({ length: roll(longest) }, () => letters[roll(letters.length)]).join('')
      const body = round % 3 === 0 ? undefined : Buffer.alloc(roll(longest), roll(256))
      const base = body === undefined ? { text } : { text, body }
      const hmac = createHmac(hash, key)
        .update(text)
        .update(body ?? '')
        .digest('base64')
      expect(backend.mac(hash, secretFrom.bytes(key), base, 'base64') === hmac).toBe(true)
      const digest = createHash(hash)
        .update(body ?? '')
        .digest('base64')
      expect(backend.digest(hash, body ?? Buffer.alloc(0), 'base64')).toBe(digest)
    }
  })

  it('answers at once, so that a verifier may run without waiting', () => {
    const secret = secretFrom.utf8('key')
    expect(typeof backend.mac('sha256', secret, { text: 'a' }, 'hex')).toBe('string')
    expect(typeof backend.digest('sha256', Buffer.alloc(1), 'hex')).toBe('string')
  })

  it('keeps the MAC of a secret whose source bytes were changed afterwards', () => {
    const bytes = Buffer.from('key')
    const secret = secretFrom.bytes(bytes)
    bytes.fill(0)
    const right = createHmac('sha256', 'key').update('a').digest('hex')
    expect(backend.mac('sha256', secret, { text: 'a' }, 'hex') === right).toBe(true)
  })

  it.each([
    ['ed25519', generateKeyPairSync('ed25519')],
    ['ecdsa-p256-sha256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ecdsa-p384-sha384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['rsa-v1_5-sha256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['rsa-pss-sha512', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    [
      'rsa-pss-sha512',
      generateKeyPairSync('rsa-pss', {
        modulusLength: 2048,
        hashAlgorithm: 'sha512',
        mgf1HashAlgorithm: 'sha512',
      }),
    ],
  ])('signs and verifies %s with KeyObjects', (name, pair) => {
    const algorithm = algorithmNamed(name)
    const base = { text: 'base' }
    const signature = backend.sign(algorithm, keyFrom(pair.privateKey), base)
    if (!(signature instanceof Uint8Array)) throw new Error('expected bytes at once')
    expect(backend.verify(algorithm, keyFrom(pair.publicKey), base, signature)).toBe(true)
    const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString()
    expect(backend.verify(algorithm, keyFrom(pem), base, signature)).toBe(true)
  })

  it('takes the point out of a CryptoKey, and refuses one of small order', async () => {
    const identity = new Uint8Array(32).with(0, 1)
    const cryptoKey = await crypto.subtle.importKey('raw', identity, 'Ed25519', true, ['verify'])
    const key = keyFrom(cryptoKey)
    const algorithm = algorithmNamed('ed25519')
    const weak = expect.objectContaining({ code: 'key-weak' })
    expect(() => backend.checkKey(key)).toThrow(weak)
    expect(() => backend.verify(algorithm, key, { text: '' }, new Uint8Array(64))).toThrow(weak)
  })

  it('signs with a CryptoKey that cannot be exported, later instead of at once', async () => {
    const made = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
    if (!('privateKey' in made)) throw new Error('expected a pair')
    const algorithm = algorithmNamed('ed25519')
    const signing = backend.sign(algorithm, keyFrom(made.privateKey), { text: 'a' })
    expect(signing).toBeInstanceOf(Promise)
    expect(backend.verify(algorithm, keyFrom(made.publicKey), { text: 'a' }, await signing)).toBe(true)
  })

  it('refuses an Ed25519 key off the curve when it is taken in', () => {
    const x = Buffer.alloc(32, 2).toString('base64url')
    const input = { kty: 'OKP', crv: 'Ed25519', x }
    const invalid = expect.objectContaining({ code: 'key-invalid' })
    expect(() => keyFrom(input)).toThrow(invalid)
    expect(() => backend.checkKey({ input, kind: 'ed25519' })).toThrow(invalid)
  })

  it('imports a key once, not at each use', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const algorithm = algorithmNamed('ed25519')
    let exports = 0
    const counting: KeyObject = new Proxy(publicKey, {
      get: (target, name) => {
        if (name === 'export') exports++
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const key = { input: counting, kind: 'ed25519' } as const
    const signature = backend.sign(algorithm, keyFrom(privateKey), { text: '' })
    if (!(signature instanceof Uint8Array)) throw new Error('expected bytes at once')
    for (let i = 0; i < 5; i++) expect(backend.verify(algorithm, key, { text: '' }, signature)).toBe(true)
    const afterFive = exports
    backend.verify(algorithm, key, { text: '' }, signature)
    expect(afterFive).toBeGreaterThan(0)
    expect(exports).toBe(afterFive)
  })
})

describe('the node:crypto backend where crypto.hash is missing', () => {
  afterEach(() => {
    vi.doUnmock('node:crypto')
    vi.resetModules()
  })

  it('meets the same contract with createHmac and createHash', async () => {
    vi.resetModules()
    let hmacs = 0
    vi.doMock('node:crypto', async (original) => {
      const real = await original<typeof import('node:crypto')>()
      return {
        ...real,
        hash: undefined,
        createHmac: (...given: Parameters<typeof createHmac>) => {
          hmacs++
          return real.createHmac(...given)
        },
      }
    })
    const { backend: older } = await import('./node.ts')
    const { backendContract: freshContract } = await import('../testing/contracts/backend.ts')
    for (const { run } of freshContract(older)) await run()
    expect(hmacs).toBeGreaterThan(100)
  })
})

describe('the tables of algorithms', () => {
  it('gives digests of the hashes that WebCrypto lacks: RFC 1321 appendix A.5, RFC 3874 section 3.1', () => {
    const abc = new TextEncoder().encode('abc')
    expect(backend.digest('md5', abc, 'hex')).toBe('900150983cd24fb0d6963f7d28e17f72')
    expect(backend.digest('sha224', abc, 'hex')).toBe(
      '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
    )
  })

  it('names hashes that node:crypto knows, with their true sizes', () => {
    for (const name of hashNames) {
      expect(createHash(hashes[name].node).digest()).toHaveLength(hashes[name].digestBytes)
    }
  })

  it('has a published key pair in the contract for every asymmetric algorithm', () => {
    const names = [...signatureAlgorithms.values()].filter(({ keyKind }) => keyKind !== 'secret')
    for (const { name } of names) {
      expect(backendContract(backend).some((behaviour) => behaviour.name.startsWith(`${name}:`))).toBe(true)
    }
  })
})
