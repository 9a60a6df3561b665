import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { client, type HawkCredentials, crypto as hawkCrypto, server } from 'hawk'
import { type RequestDescriptor, verifySignature } from 'http-message-sig'
import { httpbis } from 'http-message-signatures'
import { mustBeTrue, type Verifying } from './contestants.ts'
import type { Contestant } from './measure.ts'
import {
  benchAuthority,
  benchKeyId,
  benchMethod,
  benchNow,
  benchSecret,
  type SignedRequest,
} from './requests.ts'

/** Calls of a peer in a round: enough for a stable figure at 100 us and more. */
const peerBatch = 64
const key = createSecretKey(benchSecret)

/** A request in the forms that the peers take; each is made ahead, as Node and frameworks do, and costs the peer nothing. */
interface PeerRequest {
  readonly request: SignedRequest
  readonly plain: { readonly method: string; readonly url: string; readonly headers: Record<string, string> }
  readonly descriptor: RequestDescriptor
}

/**
 * The other libraries of RFC 9421 on npm, doing the same job: signature, coverage, window and content. Neither compares the
 * content with its digest, so that is done by hand behind them. Neither checks nonces.
 */
export function verifyingPeers(requests: readonly SignedRequest[]): Verifying {
  let current = requests.slice(0, peerBatch).map(peerRequest)
  const at = (i: number): PeerRequest => {
    const request = current[i % current.length]
    if (request === undefined) throw new Error('no requests')
    return request
  }
  const verifyingKey = {
    id: benchKeyId,
    algs: ['hmac-sha256'],
    verify: async (data: Buffer, signature: Buffer) =>
      timingSafeEqual(createHmac('sha256', key).update(data).digest(), signature),
  }
  const config = {
    keyLookup: async () => verifyingKey,
    maxAge: 300,
    notAfter: benchNow + 86_400,
    requiredFields: ['@method', '@target-uri', 'content-digest'],
    requiredParams: ['created', 'keyid', 'nonce'],
  }
  const verifier = {
    algorithm: 'hmac-sha256',
    verify: (data: Uint8Array, signature: Uint8Array) =>
      timingSafeEqual(createHmac('sha256', key).update(data).digest(), signature),
  }
  const options = {
    policy: {
      algorithms: ['hmac-sha256'],
      requiredComponents: ['@method', '@target-uri', 'content-digest'],
      requiredParameters: ['created', 'keyid', 'nonce'],
      maxAge: 300,
      clockSkew: 30,
      now: benchNow,
    },
    resolveVerifier: () => verifier,
  }
  return {
    take(signed) {
      current = signed.slice(0, peerBatch).map(peerRequest)
    },
    contestants: [
      {
        name: 'http-message-signatures verifyMessage + createHash',
        batch: peerBatch,
        run: async (i) => {
          const { plain, request } = at(i)
          return (await httpbis.verifyMessage(config, plain)) === true && hasItsContent(request)
        },
        check: mustBeTrue,
      },
      {
        name: 'http-message-sig verifySignature + createHash',
        batch: peerBatch,
        run: async (i) => {
          const { descriptor, request } = at(i)
          // Throws where the signature does not stand.
          return (await verifySignature(descriptor, options)).label === 'sig1' && hasItsContent(request)
        },
        check: mustBeTrue,
      },
    ],
  }
}

/** Hawk with its payload hash, behind the bare crypto of what Hawk signs. Hawk leaves nonces to a callback; none is given. */
export function verifyingHawk(requests: readonly SignedRequest[]): readonly Contestant[] {
  const credentials: HawkCredentials = {
    id: benchKeyId,
    key: benchSecret.toString('hex'),
    algorithm: 'sha256',
  }
  const credentialsOf = async (id: string): Promise<HawkCredentials | null> =>
    id === credentials.id ? credentials : null
  const keyObject = createSecretKey(Buffer.from(credentials.key))
  const signed = requests.map((request) => hawkRequest(request, credentials))
  const at = (i: number) => {
    const request = signed[i % signed.length]
    if (request === undefined) throw new Error('no requests')
    return request
  }
  return [
    {
      name: 'bare crypto of Hawk: createHmac, createHash, two compares',
      run: (i) => {
        const { normalized, mac, content, hash } = at(i)
        return (
          timingSafeEqual(createHmac('sha256', keyObject).update(normalized).digest(), mac) &&
          timingSafeEqual(createHash('sha256').update(content).digest(), hash)
        )
      },
      check: mustBeTrue,
    },
    {
      name: 'hawk server.authenticate with payload',
      run: async (i) => {
        const { request, payload } = at(i)
        // Rejects where the request is refused.
        const { credentials } = await server.authenticate(request, credentialsOf, {
          payload,
          timestampSkewSec: 86_400,
        })
        return credentials.id === benchKeyId
      },
      check: mustBeTrue,
    },
  ]
}

function hawkRequest({ target, body }: SignedRequest, credentials: HawkCredentials) {
  const contentType = 'application/json'
  const { header, artifacts } = client.header(`http://${benchAuthority}${target}`, benchMethod, {
    credentials,
    payload: body,
    contentType,
    timestamp: benchNow,
  })
  const headers = { host: benchAuthority, authorization: header, 'content-type': contentType }
  const normalized = hawkCrypto.generateNormalizedString('header', artifacts)
  return {
    request: { method: benchMethod, url: target, headers },
    payload: body,
    normalized,
    mac: createHmac('sha256', credentials.key).update(normalized).digest(),
    content: Buffer.concat([Buffer.from(`hawk.1.payload\n${contentType}\n`), body, Buffer.from('\n')]),
    hash: Buffer.from(artifacts.hash, 'base64'),
  }
}

function peerRequest(request: SignedRequest): PeerRequest {
  const { rawHeaders, target } = request
  const url = `http://${benchAuthority}${target}`
  const lines: { readonly name: string; readonly value: string }[] = []
  const headers: Record<string, string> = {}
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const value = rawHeaders[i + 1] ?? ''
    lines.push({ name, value })
    headers[name] = value
  }
  return {
    request,
    plain: { method: benchMethod, url, headers },
    descriptor: { kind: 'request', method: benchMethod, targetUri: url, fields: lines },
  }
}

function hasItsContent({ body, digest }: SignedRequest): boolean {
  return timingSafeEqual(createHash('sha256').update(body).digest(), digest)
}
