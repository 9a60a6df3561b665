// What the node:crypto backend costs against the bare calls of node:crypto. Run: npx tsx bench/crypto.ts
import {
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  hash,
  randomBytes,
  verify,
} from 'node:crypto'
import { signatureAlgorithms } from '../packages/countersign/src/algorithms/signatures.ts'
import { backend } from '../packages/countersign/src/crypto/node.ts'
import { backend as webBackend } from '../packages/countersign/src/crypto/web.ts'
import { keyFrom } from '../packages/countersign/src/keys/key.ts'
import { secretFrom } from '../packages/countersign/src/keys/secret.ts'
import { publishedPairs } from '../packages/countersign/src/testing/contracts/backend-keys.ts'
import { type Contestant, measure, report } from './measure.ts'

const key = randomBytes(32)
const secret = secretFrom.bytes(key)
const keyObject = createSecretKey(key)

// Distinct texts, so that nothing is hashed twice in a row; each a flat string, as a message on the wire is.
const texts = Array.from({ length: 512 }, (_, i) => Buffer.alloc(468, `base ${i} `).toString('latin1'))
const bodies = Array.from({ length: 512 }, () => randomBytes(1024))
const textOf = (i: number): string => texts[i % texts.length] ?? ''
const bodyOf = (i: number): Buffer => bodies[i % bodies.length] ?? randomBytes(1024)

report(
  'HMAC-SHA-256 of a 468-byte base',
  await measure([
    {
      name: 'createHmac(KeyObject), Buffer',
      run: (i) => createHmac('sha256', keyObject).update(textOf(i)).digest(),
    },
    {
      name: 'createHmac(KeyObject), base64',
      run: (i) => createHmac('sha256', keyObject).update(textOf(i)).digest('base64'),
    },
    { name: 'countersign, base64', run: (i) => backend.mac('sha256', secret, { text: textOf(i) }, 'base64') },
    { name: 'countersign, hex', run: (i) => backend.mac('sha256', secret, { text: textOf(i) }, 'hex') },
    {
      name: 'countersign, 1 KiB body behind it',
      run: (i) => backend.mac('sha256', secret, { text: textOf(i), body: bodyOf(i) }, 'base64'),
    },
    {
      name: 'createHmac(KeyObject), 1 KiB body behind it',
      run: (i) => createHmac('sha256', keyObject).update(textOf(i)).update(bodyOf(i)).digest('base64'),
    },
  ]),
)

// The two hashes alone, by the form in which the inner digest goes into the outer block.
const scratch = Buffer.allocUnsafeSlow(16_384)
const outer = Buffer.alloc(96, 0x5c)
const inner = (i: number): Buffer => scratch.subarray(0, 64 + scratch.write(textOf(i), 64))
const written = (form: 'binary' | 'base64' | 'hex'): Contestant => ({
  name: `inner digest as ${form}`,
  run: (i) => {
    outer.write(hash('sha256', inner(i), form), 64, form)
    return hash('sha256', outer, 'base64')
  },
})
report(
  'Two one-shot hashes',
  await measure([
    {
      name: 'createHmac(KeyObject), Buffer',
      run: (i) => createHmac('sha256', keyObject).update(textOf(i)).digest(),
    },
    written('binary'),
    written('base64'),
    written('hex'),
    {
      name: 'inner digest as Buffer',
      run: (i) => {
        outer.set(hash('sha256', inner(i), 'buffer'), 64)
        return hash('sha256', outer, 'base64')
      },
    },
  ]),
)

report(
  'SHA-256 of 1 KiB',
  await measure([
    { name: 'createHash, Buffer', run: (i) => createHash('sha256').update(bodyOf(i)).digest() },
    { name: 'createHash, base64', run: (i) => createHash('sha256').update(bodyOf(i)).digest('base64') },
    { name: 'countersign, base64', run: (i) => backend.digest('sha256', bodyOf(i), 'base64') },
  ]),
)

report(
  'Random bytes for a nonce',
  await measure([
    { name: 'randomBytes(16)', run: () => randomBytes(16) },
    { name: 'countersign', run: () => backend.random(16) },
  ]),
)

const options = { rounds: 20, batch: 50 }
for (const pair of publishedPairs.filter(({ algorithm }) => !algorithm.startsWith('rsa'))) {
  const algorithm = signatureAlgorithms.get(pair.algorithm)
  if (algorithm === undefined) continue
  const data = Buffer.from(pair.base)
  const base = { text: pair.base }
  const signature = Buffer.from(pair.signature, 'base64')
  const bare = { key: createPublicKey(pair.publicPem), dsaEncoding: 'ieee-p1363' } as const
  const imported = keyFrom(pair.publicPem)
  report(
    `Verify ${pair.algorithm}`,
    await measure(
      [
        { name: 'crypto.verify(KeyObject)', run: () => verify(algorithm.hash, data, bare, signature) },
        {
          name: 'crypto.verify(PEM)',
          run: () => verify(algorithm.hash, data, { ...bare, key: pair.publicPem }, signature),
        },
        { name: 'countersign', run: () => backend.verify(algorithm, imported, base, signature) },
        {
          name: 'countersign on WebCrypto',
          run: () => webBackend.verify(algorithm, imported, base, signature),
        },
      ],
      options,
    ),
  )
}
