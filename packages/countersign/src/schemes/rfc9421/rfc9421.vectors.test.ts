import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { backend } from '../../crypto/node.ts'
import { secretFrom } from '../../keys/secret.ts'
import { type Message, type RequestMessage, requestMessage, responseMessage } from '../../message/message.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { createSigner } from '../../signer/signer.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { signatureBase } from './base.ts'
import { componentFromId } from './component.ts'
import { readClaims } from './read.ts'
import type { StructuredType } from './reading.ts'
import { rfc9421 } from './rfc9421.ts'
import { readSignatureInput } from './signature-input.ts'

interface VectorMessage {
  readonly kind: 'request' | 'response'
  readonly method?: string
  readonly target?: string
  readonly scheme?: string
  readonly authority?: string
  readonly status?: number
  readonly headers: readonly (readonly [string, string])[]
  readonly trailers?: readonly (readonly [string, string])[]
  readonly body?: string
}
interface Vector {
  readonly id: string
  readonly message: VectorMessage
  readonly request?: VectorMessage
  readonly fieldTypes?: { readonly [name: string]: StructuredType }
}
interface Vectors {
  readonly keys: Record<
    string,
    {
      readonly alg: string
      readonly secretBase64?: string
      readonly publicPem?: string
      readonly privatePem?: string
    }
  >
  readonly components: readonly (Vector & {
    readonly component: string
    readonly expect: { readonly value?: string; readonly line?: string }
  })[]
  readonly signatureBases: readonly (Vector & {
    readonly signatureParams: string
    readonly expect: { readonly base?: string }
  })[]
  readonly signatures: readonly (Vector & {
    readonly expect: 'valid' | 'invalid'
    readonly label: string
    readonly alg: string
    readonly keyid: string
    readonly signatureInput: string
    readonly signatureBase: string
    readonly signature: string
    readonly deterministic?: boolean
  })[]
}

const file = new URL('../../../../../vectors/rfc9421/rfc9421.json', import.meta.url)
const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8'))

function messageOf({ message, request }: Vector): Message {
  return message.kind === 'request'
    ? requestOf(message)
    : responseMessage({
        status: message.status ?? 0,
        headers: message.headers,
        ...(message.body === undefined ? {} : { body: message.body }),
        ...(message.trailers === undefined ? {} : { trailers: message.trailers }),
        ...(request === undefined ? {} : { request: requestOf(request) }),
      })
}

function requestOf(message: VectorMessage): RequestMessage {
  const host = message.authority ?? message.headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? ''
  return requestMessage({
    method: message.method ?? '',
    url: message.target?.startsWith('https://') ? message.target : `${message.scheme}://${host.trim()}/`,
    target: message.target ?? '',
    headers:
      message.authority === undefined
        ? message.headers
        : message.headers.filter(([name]) => name.toLowerCase() !== 'host'),
    ...(message.body === undefined ? {} : { body: message.body }),
    ...(message.trailers === undefined ? {} : { trailers: message.trailers }),
  })
}

function credentialOf(keyid: string, alg: string, half: 'publicPem' | 'privatePem'): Credential {
  const key = vectors.keys[keyid]
  if (key?.secretBase64 !== undefined) return { id: keyid, secret: secretFrom.base64(key.secretBase64) }
  const pem = key?.[half]
  if (pem === undefined) throw new Error(`no key ${keyid}`)
  return { id: keyid, key: pem, algorithm: alg }
}

/** A field of every type that the vectors name. */
function typesOf({ fieldTypes }: Vector): ReadonlyMap<string, StructuredType> {
  return new Map(Object.entries(fieldTypes ?? {}))
}

describe('RFC 9421 components', () => {
  it('has all 54 vectors', () => expect(vectors.components).toHaveLength(54))
  it.each(vectors.components)('$id: $component', (vector) => {
    const component = componentFromId(vector.component)
    const value = component?.read(messageOf(vector), { types: typesOf(vector), textLimit: 10_000 })
    const line =
      component === undefined || value === undefined || isRefusal(value)
        ? undefined
        : component.prefix + value
    expect(line).toBe(vector.expect.line)
  })
})

describe('RFC 9421 signature bases', () => {
  it('has all 7 vectors', () => expect(vectors.signatureBases).toHaveLength(7))
  it.each(vectors.signatureBases)('$id', (vector) => {
    const inputs = readSignatureInput(`sig=${vector.signatureParams}`)
    const message = messageOf(vector)
    const input = isRefusal(inputs) ? undefined : inputs[0]
    const base =
      input === undefined
        ? undefined
        : signatureBase(message, input, { types: typesOf(vector), textLimit: 10_000 })
    expect(base === undefined || isRefusal(base) ? undefined : base.text).toBe(vector.expect.base)
  })
})

describe('RFC 9421 signatures', () => {
  it('has all 30 vectors', () => expect(vectors.signatures).toHaveLength(30))
  it.each(vectors.signatures)('$id is $expect', async (vector) => {
    const message = messageOf(vector)
    const claims = readClaims(message)
    const claim =
      claims === undefined || isRefusal(claims) ? undefined : claims.find((one) => one.label === vector.label)
    if (claim === undefined) throw new Error('the claim could not be read')
    const base = signatureBase(message, claim, { types: typesOf(vector), textLimit: 10_000 })
    const text = isRefusal(base) ? undefined : base.text
    if (vector.expect === 'valid') expect(text).toBe(vector.signatureBase)

    const verifier = createVerifier({
      schemes: [rfc9421({ fieldTypes: vector.fieldTypes ?? {} })],
      credentials: (keyId) =>
        keyId === vector.keyid ? credentialOf(keyId, vector.alg, 'publicPem') : undefined,
      clock: () => claim.createdAt ?? 0,
      // The vectors show the mechanics; several cover next to nothing.
      policy: { covers: [], digest: 'if-covered', signatures: { label: vector.label } },
    })
    const verdict = await verifier.verify(message)
    expect(verdict.ok ? 'valid' : verdict.reason).toBe(
      vector.expect === 'valid' ? 'valid' : 'signature-mismatch',
    )
  })

  it.each(vectors.signatures.filter((vector) => vector.deterministic === true && vector.expect === 'valid'))(
    '$id: signing the same base gives the same signature',
    async (vector) => {
      const credential = credentialOf(vector.keyid, vector.alg, 'privatePem')
      const text = vector.signatureBase
      const scheme = rfc9421()
      const signer = createSigner({
        // The published parameters cannot be drafted (no nonce, other order), so the base is given.
        scheme: { ...scheme, base: () => ({ text }) },
        credential,
        backend,
      })
      const patch = await signer.sign(requestMessage({ url: 'https://example.com/' }))
      expect(patch.set.at(-1)?.[1]).toBe(`sig1=:${vector.signature}:`)
    },
  )
})
