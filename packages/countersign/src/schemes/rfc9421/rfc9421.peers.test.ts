import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSignature, type Signer, verifySignature } from 'http-message-sig'
import { httpbis } from 'http-message-signatures'
import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../bytes/equal.ts'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, requestMessage } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import { createSigner } from '../../signer/signer.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { rfc9421 } from './rfc9421.ts'

// Two independent implementations of RFC 9421 sign what we verify and verify what we sign.

const now = Math.floor(Date.now() / 1000)
const secret = 'a secret shared with the peers'
const keys: { readonly keys: Record<string, { readonly privatePem: string; readonly publicPem: string }> } =
  JSON.parse(readFileSync(new URL('../../../../../vectors/rfc9421/rfc9421.json', import.meta.url), 'utf8'))
const pair = keys.keys['test-key-ed25519']
if (pair === undefined) throw new Error('the key of RFC 9421 B.1.4 is missing')
const privateKey = createPrivateKey(pair.privatePem)
const publicKey = createPublicKey(pair.publicPem)

interface Algorithm {
  readonly alg: 'hmac-sha256' | 'ed25519'
  readonly signing: Credential
  readonly verifying: Credential
  readonly sign: (data: Uint8Array) => Uint8Array
  readonly verify: (data: Uint8Array, signature: Uint8Array) => boolean
}

const hmac = (data: Uint8Array) => createHmac('sha256', secret).update(data).digest()
const algorithms: readonly Algorithm[] = [
  {
    alg: 'hmac-sha256',
    signing: { id: 'k1', secret },
    verifying: { id: 'k1', secret },
    sign: hmac,
    verify: (data, signature) => equalBytes(signature, hmac(data)),
  },
  {
    alg: 'ed25519',
    signing: { id: 'k1', key: pair.privatePem },
    verifying: { id: 'k1', key: pair.publicPem },
    sign: (data) => sign(null, data, privateKey),
    verify: (data, signature) => verify(null, data, publicKey, signature),
  },
]

const url = 'https://api.example.com/orders/7?sort=asc&q=a%20b'
const headers = { 'content-type': 'application/json', 'x-request-id': '  padded  ', 'cache-control': 'a, b' }
const fields = [
  '@method',
  '@target-uri',
  '@authority',
  '@path',
  '@query',
  'content-type',
  'cache-control',
  'x-request-id',
]
const unsigned = requestMessage({ method: 'POST', url, headers: { host: 'api.example.com', ...headers } })

function pairsOf(message: RequestMessage): [string, string][] {
  return message.fields.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name, message.fields[i + 1] ?? '']] : [],
  )
}

function recordOf(message: RequestMessage): Record<string, string> {
  return Object.fromEntries(pairsOf(message).map(([name, value]) => [name.toLowerCase(), value.trim()]))
}

describe.each(algorithms)('$alg', ({ alg, signing, verifying, sign: signBytes, verify: verifyBytes }) => {
  const verifier = createVerifier({ schemes: [rfc9421()], credentials: () => verifying, clock: () => now })
  const ours = (label = 'sig1') => {
    const scheme = rfc9421({ covers: fields, label, alg: true })
    return applyPatch(
      unsigned,
      createSigner({ scheme, credential: signing, clock: () => now }).signSync(unsigned),
    )
  }

  it('verifies what http-message-signatures signs', async () => {
    const signed = await httpbis.signMessage(
      { key: { id: 'k1', alg, sign: async (data) => Buffer.from(signBytes(data)) }, fields },
      { method: 'POST', url, headers: { ...headers } },
    )
    const message = requestMessage({ method: 'POST', url, headers: signed.headers })
    expect(await verifier.verify(message)).toMatchObject({ ok: true, claim: { covers: fields } })
  })

  it('signs what http-message-signatures verifies', async () => {
    const config = {
      keyLookup: async () => ({
        id: 'k1',
        algs: [alg],
        verify: async (data: Buffer, signature: Buffer) => verifyBytes(data, signature),
      }),
    }
    const message = { method: 'POST', url, headers: recordOf(ours()) }
    expect(await httpbis.verifyMessage(config, message)).toBe(true)
  })

  it('verifies what http-message-sig signs, and the reverse', async () => {
    const signer: Signer = { algorithm: alg, sign: (data: Uint8Array) => signBytes(data) }
    const bare = fields.filter((name) => name !== 'x-request-id')
    const parameters = { created: now, alg, keyid: 'k1' }
    const request = new Request(url, { method: 'POST', headers })
    const made = await createSignature(request, { label: 'sig1', components: bare, parameters, signer })
    const message = requestMessage({
      method: 'POST',
      url,
      headers: { ...headers, 'signature-input': made.signatureInput, signature: made.signature },
    })
    expect(await verifier.verify(message)).toMatchObject({ ok: true, claim: { covers: bare } })

    const back = await verifySignature(new Request(url, { method: 'POST', headers: pairsOf(ours()) }), {
      policy: {
        algorithms: [alg],
        requiredComponents: fields,
        requiredParameters: ['created', 'keyid'],
        maxAge: 300,
        clockSkew: 5,
      },
      resolveVerifier: () => ({
        algorithm: alg,
        verify: (data: Uint8Array, signature: Uint8Array) => verifyBytes(data, signature),
      }),
    })
    expect(back).toBeTruthy()
  })
})
