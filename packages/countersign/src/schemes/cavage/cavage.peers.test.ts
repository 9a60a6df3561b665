import { createHash, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, requestMessage } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import { createSigner } from '../../signer/signer.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { cavage } from './cavage.ts'
import type { CavageOptions } from './options.ts'

// Two implementations of the drafts sign what we verify and verify what we sign.

/** What of both packages is used; neither brings types. */
interface Peer {
  sign(
    request: {
      readonly method: string
      readonly path: string
      getHeader(name: string): string | undefined
      setHeader(name: string, value: string): void
    },
    options: {
      readonly keyId: string
      readonly key: string
      readonly algorithm?: string
      readonly headers: readonly string[]
      readonly authorizationHeaderName?: string
      readonly hideAlgorithm?: boolean
    },
  ): true
  parseRequest(
    request: {
      readonly method: string
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
    },
    options?: { readonly headers?: readonly string[] },
  ): object
  verifySignature(parsed: object, publicKey: string): boolean
  verifyHMAC(parsed: object, secret: string): boolean
}

const load = createRequire(import.meta.url)
const httpSignature: Peer = load('http-signature')
const peertube: Peer = load('@peertube/http-signature')

// Both peers read the clock of the machine.
const now = Math.floor(Date.now() / 1000)
const secret = 'a secret shared with the peers'
const rsa = pemsOf(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const p256 = pemsOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const ed25519 = pemsOf(generateKeyPairSync('ed25519'))

interface Pems {
  readonly publicKey: string
  readonly privateKey: string
}

function pemsOf({ publicKey, privateKey }: KeyPairKeyObjectResult): Pems {
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

interface Kind {
  /** Name in the field. */
  readonly algorithm: string
  readonly row: string
  readonly pair?: Pems
}

const kinds: readonly Kind[] = [
  { algorithm: 'hmac-sha1', row: 'hmac-sha1' },
  { algorithm: 'hmac-sha256', row: 'hmac-sha256' },
  { algorithm: 'hmac-sha512', row: 'hmac-sha512' },
  { algorithm: 'rsa-sha1', row: 'rsa-v1_5-sha1', pair: rsa },
  { algorithm: 'rsa-sha256', row: 'rsa-v1_5-sha256', pair: rsa },
  { algorithm: 'rsa-sha512', row: 'rsa-v1_5-sha512', pair: rsa },
  { algorithm: 'ecdsa-sha256', row: 'ecdsa-p256-sha256', pair: p256 },
  { algorithm: 'ed25519-sha512', row: 'ed25519', pair: ed25519 },
]

const body = '{"type":"Follow"}'
const message = requestMessage({
  method: 'POST',
  url: '/inbox?page=2&q=a%20b',
  headers: {
    Host: 'social.example:8443',
    Date: new Date(now * 1000).toUTCString(),
    'Content-Type': 'application/activity+json',
    Digest: `SHA-256=${createHash('sha256').update(body).digest('base64')}`,
  },
  body,
})
const list = ['(request-target)', 'host', 'date', 'digest', 'content-type']
const newList = ['(request-target)', '(created)', '(expires)', 'host', 'digest']

function credentials({ row, pair }: Kind): readonly [signing: Credential, verifying: Credential] {
  const shared = { id: 'https://social.example/actor#main-key', algorithm: row }
  return pair === undefined
    ? [
        { ...shared, secret },
        { ...shared, secret },
      ]
    : [
        { ...shared, key: pair.privateKey },
        { ...shared, key: pair.publicKey },
      ]
}

/** The request as a peer knows it. */
function headersOf({ fields }: RequestMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i + 1 < fields.length; i += 2)
    headers[(fields[i] ?? '').toLowerCase()] = fields[i + 1] ?? ''
  return headers
}

/** Has a peer sign the message, and gives it with the field that it set. */
function signedBy(peer: Peer, options: Parameters<Peer['sign']>[1]): RequestMessage {
  const headers = new Map(Object.entries(headersOf(message)))
  const request = {
    method: message.method,
    path: message.target,
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    setHeader: (name: string, value: string) => {
      headers.set(name.toLowerCase(), value)
    },
  }
  peer.sign(request, options)
  return requestMessage({ method: message.method, url: message.target, headers, body })
}

function judged(signed: RequestMessage, verifying: Credential, options: CavageOptions = {}): Verdict {
  return createVerifier({
    schemes: [cavage(options)],
    credentials: (keyId) => (keyId === verifying.id ? verifying : undefined),
    clock: () => now,
  }).verifySync(signed)
}

/** Whether a peer takes what we signed. */
function acceptedBy(peer: Peer, signed: RequestMessage, { pair }: Kind): boolean {
  const request = { method: signed.method, url: signed.target, headers: headersOf(signed) }
  const parsed = peer.parseRequest(request, { headers: ['(request-target)', 'host'] })
  return pair === undefined ? peer.verifyHMAC(parsed, secret) : peer.verifySignature(parsed, pair.publicKey)
}

describe.each([
  ['http-signature', httpSignature],
  ['@peertube/http-signature', peertube],
])('5.13 cavage and %s', (name, peer) => {
  it.each(kinds)('verify $algorithm of the other, in either field', (kind) => {
    const [signing, verifying] = credentials(kind)
    for (const field of ['authorization', 'signature'] as const) {
      const theirs = signedBy(peer, {
        keyId: signing.id,
        key: kind.pair?.privateKey ?? secret,
        algorithm: kind.algorithm,
        headers: list,
        ...(field === 'signature' ? { authorizationHeaderName: 'Signature' } : {}),
      })
      const verdict = judged(theirs, verifying)
      expect(verdict.ok, verdict.ok ? '' : verdict.detail).toBe(true)
      const changed = { ...theirs, target: '/inbox?page=3', parts: { ...theirs.parts, query: 'page=3' } }
      expect(judged(changed, verifying).ok).toBe(false)

      const scheme = cavage({ headers: list, field, algorithm: 'named' })
      const signer = createSigner({ scheme, credential: signing, clock: () => now })
      const ours = applyPatch(message, signer.signSync(message))
      expect(acceptedBy(peer, ours, kind)).toBe(true)
      expect(acceptedBy(peer, { ...ours, target: '/inbox?page=3' }, kind)).toBe(false)
      // RSA version 1.5, HMAC and Ed25519 have one signature for one text: the fields are equal to the byte.
      if (kind.row !== 'ecdsa-p256-sha256') expect(parametersOf(ours)).toEqual(parametersOf(theirs))
    }
  })

  it('agree on (created) and (expires)', () => {
    for (const kind of kinds.filter(({ pair }) => pair !== undefined)) {
      if (kind.algorithm === 'rsa-sha1' || kind.algorithm === 'rsa-sha512') continue
      const [signing, verifying] = credentials(kind)
      const isNew = name === '@peertube/http-signature'
      const theirs = signedBy(peer, {
        keyId: signing.id,
        key: kind.pair?.privateKey ?? '',
        headers: newList,
        hideAlgorithm: isNew,
      })
      // http-signature knows no hs2019 and names an algorithm, which drafts 11 and 12 do not allow here.
      const old = { compatible: ['created-with-named-algorithm'] } as const
      const verdict = judged(theirs, verifying, isNew ? {} : old)
      expect(verdict.ok, verdict.ok ? '' : verdict.detail).toBe(true)
      if (!isNew) continue
      const signer = createSigner({
        scheme: cavage({ headers: newList }),
        credential: signing,
        clock: () => now,
      })
      expect(acceptedBy(peer, applyPatch(message, signer.signSync(message)), kind)).toBe(true)
    }
  })

  it('are understood without anything bound or optional: what they sign unasked is what we take', () => {
    const theirs = signedBy(peer, { keyId: 'k1', key: rsa.privateKey, headers: list })
    expect(judged(theirs, { id: 'k1', key: rsa.publicKey })).toMatchObject({ ok: true, warnings: [] })
    const signer = createSigner({
      scheme: cavage(),
      credential: { id: 'k1', key: rsa.privateKey },
      clock: () => now,
    })
    const kind = kinds.find(({ algorithm }) => algorithm === 'rsa-sha256')
    const ours = applyPatch(message, signer.signSync(message))
    expect(kind !== undefined && acceptedBy(peer, ours, kind)).toBe(true)
  })
})

/** The parameters of whichever field carries the signature. */
function parametersOf(signed: RequestMessage): ReadonlySet<string> {
  const { authorization, signature } = headersOf(signed)
  return new Set((authorization?.slice('Signature '.length) ?? signature ?? '').split(/,(?=[A-Za-z]+=)/))
}
