import { describe, expect, it } from 'vitest'
import type { Backend } from '../../crypto/backend.ts'
import { backend } from '../../crypto/node.ts'
import { secretFrom } from '../../keys/secret.ts'
import { backendContract } from './backend.ts'

/** Name of the first behaviour that a backend does not meet. */
async function firstUnmet(faulty: Backend): Promise<string | undefined> {
  for (const { name, run } of backendContract(faulty)) {
    try {
      await run()
    } catch {
      return name
    }
  }
  return undefined
}

const one = secretFrom.utf8('one')

// Each is a defect that was, or could be, in a backend.
const faults: readonly (readonly [string, Partial<Backend>])[] = [
  [
    'forgets the body',
    { mac: (hash, secret, { text }, encoding) => backend.mac(hash, secret, { text }, encoding) },
  ],
  [
    'writes text as latin1',
    {
      mac: (hash, secret, { text, body }, encoding) =>
        backend.mac(
          hash,
          secret,
          { text: '', body: Buffer.concat([Buffer.from(text, 'latin1'), body ?? Buffer.alloc(0)]) },
          encoding,
        ),
    },
  ],
  [
    'puts the body in front',
    {
      mac: (hash, secret, { text, body }, encoding) =>
        backend.mac(
          hash,
          secret,
          { text: '', body: Buffer.concat([body ?? Buffer.alloc(0), Buffer.from(text)]) },
          encoding,
        ),
    },
  ],
  [
    'cuts what is over 16 KiB',
    {
      mac: (hash, secret, { text, body }, encoding) =>
        backend.mac(hash, secret, { text: text.slice(0, 16_384), ...(body && { body }) }, encoding),
    },
  ],
  [
    'uses one secret for all',
    { mac: (hash, _secret, base, encoding) => backend.mac(hash, one, base, encoding) },
  ],
  [
    'uses one hash for all',
    { mac: (_hash, secret, base, encoding) => backend.mac('sha256', secret, base, encoding) },
  ],
  ['always writes hex', { mac: (hash, secret, base) => backend.mac(hash, secret, base, 'hex') }],
  [
    'pads base64url',
    {
      digest: (hash, bytes, encoding) =>
        `${backend.digest(hash, bytes, encoding)}${encoding === 'base64url' ? '=' : ''}`,
    },
  ],
  [
    'digests the whole buffer of a window',
    {
      digest: (hash, { buffer }, encoding) => backend.digest(hash, new Uint8Array(buffer), encoding),
    },
  ],
  [
    'hashes only the last piece',
    {
      hasher: (hash) => {
        let last = new Uint8Array()
        return {
          update: (bytes) => {
            last = bytes.slice()
          },
          digest: () => String(backend.digest(hash, last, 'base64')),
        }
      },
    },
  ],
  ['accepts everything', { verify: () => true }],
  ['accepts nothing', { verify: () => false }],
  ['never refuses a key', { checkKey: () => undefined }],
  ['hands out one array again and again', { random: () => new Uint8Array(16) }],
  ['hands out windows of a pool', { random: (length) => backend.random(65_536).subarray(0, length) }],
  [
    'ignores what lies behind a signature',
    {
      verify: (algorithm, key, base, signature) =>
        backend.verify(algorithm, key, base, signature.length > 256 ? signature.subarray(0, 256) : signature),
    },
  ],
  [
    'throws at a signature of a wrong length',
    {
      verify: (algorithm, key, base, signature) => {
        if (signature.length < 64) throw new RangeError('length')
        return backend.verify(algorithm, key, base, signature)
      },
    },
  ],
  ['signs the text alone', { sign: (algorithm, key, { text }) => backend.sign(algorithm, key, { text }) }],
]

describe('the backend contract', () => {
  it('is met by the backend the faults are made from', async () => {
    expect(await firstUnmet(backend)).toBeUndefined()
  })

  it.each(faults)('notices a backend that %s', async (_fault, changes) => {
    expect(await firstUnmet({ ...backend, ...changes })).toBeDefined()
  })

  it('notices an algorithm that is said to be lacking and is not', async () => {
    const names = backendContract(backend, { lacks: ['ed25519'] }).filter(({ name }) =>
      name.startsWith('ed25519'),
    )
    expect(names).toHaveLength(1)
    await expect(names[0]?.run()).rejects.toThrow('contract is not met')
  })
})
