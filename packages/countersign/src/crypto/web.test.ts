import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { keyFrom } from '../keys/key.ts'
import { secretFrom } from '../keys/secret.ts'
import { backendContract } from '../testing/contracts/backend.ts'
import { algorithmNamed } from '../testing/contracts/backend-check.ts'
import { publishedPairs } from '../testing/contracts/backend-keys.ts'
import { backend } from './web.ts'

const refusal = (code: string) => expect.objectContaining({ name: 'CountersignError', code })

/** The real SubtleCrypto, except that these methods are given by `changes`. */
function changedSubtle(changes: Partial<SubtleCrypto>): void {
  const real = globalThis.crypto
  const subtle = new Proxy(real.subtle, {
    get: (target, name) => {
      const value: unknown = Reflect.get(changes, name) ?? Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  vi.stubGlobal('crypto', { subtle, getRandomValues: real.getRandomValues.bind(real) })
}

describe('the WebCrypto backend', () => {
  for (const { name, run } of backendContract(backend)) it(name, run)

  it('cannot hash in pieces and does not pretend to', () => {
    expect(backend.hasher).toBeUndefined()
  })

  it('says of hashes that WebCrypto has not that it cannot compute them', async () => {
    for (const hash of ['md5', 'sha224'] as const) {
      const digest = backend.digest(hash, new Uint8Array(3), 'hex')
      await expect(digest).rejects.toThrow(refusal('algorithm-unsupported'))
    }
  })

  it('takes bodies on shared memory, which WebCrypto itself refuses', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    shared.set([1, 2, 3, 4])
    const right = createHmac('sha256', 'key').update('a').update(shared).digest('hex')
    const given = await backend.mac('sha256', secretFrom.utf8('key'), { text: 'a', body: shared }, 'hex')
    expect(given === right).toBe(true)
    expect(await backend.digest('sha256', shared, 'hex')).toBe(
      await backend.digest('sha256', shared.slice(), 'hex'),
    )
  })

  it('refuses an Ed25519 CryptoKey of small order', async () => {
    const identity = new Uint8Array(32).with(0, 1)
    const key = keyFrom(await crypto.subtle.importKey('raw', identity, 'Ed25519', true, ['verify']))
    await expect(backend.checkKey(key)).rejects.toThrow(refusal('key-weak'))
    const verifying = backend.verify(algorithmNamed('ed25519'), key, { text: '' }, new Uint8Array(64))
    await expect(verifying).rejects.toThrow(refusal('key-weak'))
  })

  it('refuses an Ed25519 key off the curve when it is taken in', async () => {
    const point = new Uint8Array(32).fill(2)
    const cryptoKey = await crypto.subtle.importKey('raw', point, 'Ed25519', true, ['verify'])
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(point).toString('base64url') }
    await expect(backend.checkKey(keyFrom(cryptoKey))).rejects.toThrow(refusal('key-invalid'))
    expect(() => keyFrom(jwk)).toThrow(refusal('key-invalid'))
    await expect(backend.checkKey({ input: jwk, kind: 'ed25519' })).rejects.toThrow(refusal('key-invalid'))
  })
})

describe('the WebCrypto backend in a lesser runtime', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  it('says that WebCrypto is missing instead of failing in its own way', async () => {
    vi.stubGlobal('crypto', undefined)
    const secret = secretFrom.utf8('key')
    await expect(backend.mac('sha256', secret, { text: '' }, 'hex')).rejects.toThrow(
      refusal('algorithm-unsupported'),
    )
    await expect(backend.digest('sha256', new Uint8Array(), 'hex')).rejects.toThrow(
      refusal('algorithm-unsupported'),
    )
  })

  it('meets the contract without Ed25519, which it refuses with a reason', async () => {
    const { importKey } = crypto.subtle
    const withoutEd25519: SubtleCrypto['importKey'] = function (this: SubtleCrypto, ...given: unknown[]) {
      const algorithm = given[2]
      return JSON.stringify(algorithm).includes('Ed25519')
        ? Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))
        : Reflect.apply(importKey, this, given)
    }
    changedSubtle({ importKey: withoutEd25519 })
    for (const { run } of backendContract(backend, { lacks: ['ed25519'] })) await run()
  })

  it('tries an import again that failed before', async () => {
    const [pair] = publishedPairs
    if (pair === undefined) throw new Error('no pair')
    const key = keyFrom(pair.publicJwk)
    const verify = async () =>
      backend.verify(
        algorithmNamed(pair.algorithm),
        key,
        { text: pair.base },
        Buffer.from(pair.signature, 'base64'),
      )
    changedSubtle({ importKey: () => Promise.reject(new DOMException('busy', 'OperationError')) })
    await expect(verify()).rejects.toThrow(refusal('key-invalid'))
    vi.unstubAllGlobals()
    expect(await verify()).toBe(true)
  })

  it('turns a primitive that fails into a refusal with its cause', async () => {
    const failing = () => Promise.reject(new DOMException('broken', 'OperationError'))
    changedSubtle({ verify: failing, sign: failing, digest: failing })
    for (const pair of publishedPairs) {
      const algorithm = algorithmNamed(pair.algorithm)
      const signature = Buffer.from(pair.signature, 'base64')
      await expect(
        backend.verify(algorithm, keyFrom(pair.publicJwk), { text: '' }, signature),
      ).rejects.toThrow(refusal('algorithm-unsupported'))
      await expect(backend.sign(algorithm, keyFrom(pair.privateJwk), { text: '' })).rejects.toThrow(
        refusal('algorithm-unsupported'),
      )
    }
    const mac = backend.mac('sha256', secretFrom.utf8('key'), { text: '' }, 'hex')
    await expect(mac).rejects.toThrow(refusal('algorithm-unsupported'))
    await expect(backend.digest('sha256', new Uint8Array(), 'hex')).rejects.toHaveProperty(
      'cause.name',
      'OperationError',
    )
  })
})
