import type { SignatureAlgorithm } from '../../algorithms/signatures.ts'
import { base64Decode } from '../../bytes/base64.ts'
import { concatBytes } from '../../bytes/concat.ts'
import { utf8Encode } from '../../bytes/utf8.ts'
import type { Backend } from '../../crypto/backend.ts'
import { keyFrom } from '../../keys/key.ts'
import { algorithmNamed, type BackendBehaviour, check, checkRefused, hex } from './backend-check.ts'
import { type PublishedPair, publishedPairs } from './backend-keys.ts'

// Orders of the groups, big-endian: a signature whose r or s is zero or not below the order is none (FIPS 186-5 section 6.4.2).
const orders: Readonly<Record<string, string>> = {
  'ecdsa-p256-sha256': 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'ecdsa-p384-sha384':
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
}

/** What a backend must do with key pairs, for each algorithm that it does not lack. */
export function signatureBehaviours(backend: Backend, lacks: readonly string[]): readonly BackendBehaviour[] {
  return publishedPairs.flatMap((pair) =>
    lacks.includes(pair.algorithm) ? [lackingBehaviour(backend, pair)] : pairBehaviours(backend, pair),
  )
}

function lackingBehaviour(backend: Backend, pair: PublishedPair): BackendBehaviour {
  return {
    name: `${pair.algorithm}: says that this runtime cannot compute it`,
    run: async () => {
      const algorithm = algorithmNamed(pair.algorithm)
      await checkRefused('algorithm-unsupported', 'verify', () =>
        backend.verify(algorithm, keyFrom(pair.publicJwk), { text: pair.base }, decoded(pair)),
      )
      await checkRefused('algorithm-unsupported', 'sign', () =>
        backend.sign(algorithm, keyFrom(pair.privateJwk), { text: pair.base }),
      )
    },
  }
}

function pairBehaviours(backend: Backend, pair: PublishedPair): readonly BackendBehaviour[] {
  const algorithm = algorithmNamed(pair.algorithm)
  const publicKey = keyFrom(pair.publicPem)
  const privateKey = keyFrom(pair.privatePem)
  const named = (name: string, run: () => Promise<void>): BackendBehaviour => ({
    name: `${pair.algorithm}: ${name}`,
    run,
  })
  const fits = async (signature: Uint8Array, text: string = pair.base) =>
    backend.verify(algorithm, publicKey, { text }, signature)
  return [
    named(`verifies the signature of ${pair.section}, with PEM and with JWK`, async () => {
      check(await fits(decoded(pair)), 'PEM')
      const fromJwk = keyFrom(pair.publicJwk)
      check(await backend.verify(algorithm, fromJwk, { text: pair.base }, decoded(pair)), 'JWK')
    }),
    named('signs with PEM and with JWK so that it verifies, body included', async () => {
      const base = { text: 'é\n', body: hex('00ff') }
      for (const key of [privateKey, keyFrom(pair.privateJwk)]) {
        const signature = await backend.sign(algorithm, key, base)
        check(signature.length === pair.signatureBytes, `a signature is of ${pair.signatureBytes} bytes`)
        check(await backend.verify(algorithm, publicKey, base, signature), 'its own signature')
        const joined = { text: '', body: concatBytes([utf8Encode(base.text), base.body]) }
        check(await backend.verify(algorithm, publicKey, joined, signature), 'the same bytes as body alone')
        const apart = { text: base.text, body: hex('00fe') }
        check(!(await backend.verify(algorithm, publicKey, apart, signature)), 'another body is refused')
      }
    }),
    named('refuses another text, and each bit of a byte of the signature changed', async () => {
      const right = decoded(pair)
      check(!(await fits(right, `${pair.base} `)), 'one character more')
      check(!(await fits(right, pair.base.slice(1))), 'one character less')
      check(!(await fits(right, '')), 'no text')
      for (let i = 0; i < right.length; i++) {
        const changed = right.slice()
        changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
        check(!(await fits(changed)), `byte ${i} changed`)
      }
    }),
    named('refuses a signature of any other length', async () => {
      const right = decoded(pair)
      const half = right.length / 2
      for (const length of [0, 1, half, half - 1, right.length - 1]) {
        check(!(await fits(right.subarray(0, length))), `cut to ${length} bytes`)
      }
      check(!(await fits(concatBytes([right, hex('00')]))), 'one byte behind')
      check(!(await fits(concatBytes([hex('00'), right]))), 'one byte in front')
      check(!(await fits(new Uint8Array(100_000))), '100000 bytes')
    }),
    named('refuses a signature of zeros, of ones, and numbers at the edge of the range', async () => {
      for (const byte of [0, 1, 0xff]) {
        check(!(await fits(new Uint8Array(pair.signatureBytes).fill(byte))), `every byte ${byte}`)
      }
      const order = orders[pair.algorithm]
      if (order === undefined) return
      const right = decoded(pair)
      const half = right.length / 2
      const zero = new Uint8Array(half)
      const one = zero.with(half - 1, 1)
      for (const edge of [zero, hex(order), new Uint8Array(half).fill(0xff)]) {
        for (const other of [right.subarray(half), one, edge]) {
          check(!(await fits(concatBytes([edge, other]))), 'r at the edge')
          check(!(await fits(concatBytes([other, edge]))), 's at the edge')
        }
      }
    }),
    named('refuses the DER form of an ECDSA signature', async () => {
      if (orders[pair.algorithm] === undefined) return
      check(!(await fits(derOf(decoded(pair)))), 'DER')
    }),
    named('refuses the wrong half of a pair, and a key of another kind', async () => {
      const base = { text: pair.base }
      await checkRefused('key-invalid', 'verify with the private half', () =>
        backend.verify(algorithm, privateKey, base, decoded(pair)),
      )
      await checkRefused('key-invalid', 'sign with the public half', () =>
        backend.sign(algorithm, publicKey, base),
      )
      for (const other of publishedPairs) {
        if (keyFrom(other.publicPem).kind === publicKey.kind) continue
        await checkRefused('key-invalid', other.algorithm, () =>
          backend.verify(algorithmNamed(other.algorithm), publicKey, base, decoded(pair)),
        )
        const mislabelled = { input: pair.publicPem, kind: keyFrom(other.publicPem).kind }
        await checkRefused('key-invalid', 'checkKey of a key with a wrong label', () =>
          backend.checkKey(mislabelled),
        )
      }
    }),
    named('has no way for a public key to serve as the secret of a MAC', async () => {
      const hmac: SignatureAlgorithm = algorithmNamed('hmac-sha256')
      await checkRefused('key-invalid', 'verify', () =>
        backend.verify(hmac, publicKey, { text: pair.base }, new Uint8Array(32)),
      )
      await checkRefused('key-invalid', 'sign', () => backend.sign(hmac, privateKey, { text: pair.base }))
    }),
    named('takes both halves in, in both forms', async () => {
      for (const input of [pair.publicPem, pair.privatePem, pair.publicJwk, pair.privateJwk]) {
        await backend.checkKey(keyFrom(input))
      }
    }),
  ]
}

function decoded(pair: PublishedPair): Uint8Array {
  const signature = base64Decode(pair.signature)
  if (signature === undefined) throw new Error('the contract has a signature that is not base64')
  return signature
}

/** Writes `r || s` as SEQUENCE { INTEGER r, INTEGER s }. Lengths under 128 bytes, which holds for both curves. */
function derOf(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  const integers = [signature.subarray(0, half), signature.subarray(half)].map((bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0)
    const magnitude = bytes.subarray(start)
    const content = (magnitude[0] ?? 0) < 0x80 ? magnitude : concatBytes([hex('00'), magnitude])
    return concatBytes([Uint8Array.of(2, content.length), content])
  })
  const content = concatBytes(integers)
  return concatBytes([Uint8Array.of(0x30, content.length), content])
}
