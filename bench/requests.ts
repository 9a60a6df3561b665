import { createHash, createHmac, randomBytes } from 'node:crypto'

/** One signed request in every form that a contestant takes it in. */
export interface SignedRequest {
  /** As Node's parser hands it on. */
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly body: Uint8Array
  /** The finished signature base, for the bare crypto of a naive check. */
  readonly base: string
  readonly mac: Buffer
  readonly digest: Buffer
}

/** Requests that can be signed again and again, each time with nonces never seen before. */
export interface RequestSet {
  readonly count: number
  /** Signs all of them anew. */
  signed(): readonly SignedRequest[]
}

export const benchSecret: Buffer = randomBytes(32)
export const benchKeyId = 'billing-service-2026'
/** The time of the run, for every clock that can be set. Whole seconds since the epoch. */
export const benchNow: number = Math.floor(Date.now() / 1000)
export const benchMethod = 'POST'
export const benchAuthority = 'api.example.com'
/** What is signed: method, address, content and two fields. */
export const benchComponents: readonly string[] = [
  '@method',
  '@target-uri',
  '@authority',
  'content-digest',
  'content-type',
  'x-request-id',
]

/** Gives the request target of a request. */
export function benchTarget(i: number): string {
  return `/v1/invoices/${100_000 + i}/lines?page=${i}&sort=asc`
}

/** Makes distinct requests with 1 KiB of content each. */
export function requestSet(count: number): RequestSet {
  const parts = Array.from({ length: count }, (_, i) => unsignedRequest(i))
  const credential = { id: benchKeyId, secret: benchSecret }
  return { count, signed: () => parts.map((part) => signRequest(part, credential)) }
}

/** Signs a set once. */
export function signedRequests(count: number): readonly SignedRequest[] {
  return requestSet(count).signed()
}

/** What of a request stays as it is when it is signed anew. */
export interface UnsignedRequest {
  readonly target: string
  readonly requestId: string
  readonly body: Buffer
  readonly digest: Buffer
  readonly createdAt: number
}

function unsignedRequest(i: number): UnsignedRequest {
  const body = randomBytes(1024)
  return {
    target: flat(benchTarget(i)),
    requestId: randomBytes(8).toString('hex'),
    body,
    digest: createHash('sha256').update(body).digest(),
    createdAt: benchNow - (i % 200),
  }
}

/** Signs a request with a fresh nonce, by hand: nothing here is countersign's. */
export function signRequest(
  { target, requestId, body, digest, createdAt }: UnsignedRequest,
  credential: { readonly id: string; readonly secret: Uint8Array },
): SignedRequest {
  const contentDigest = `sha-256=:${digest.toString('base64')}:`
  const params =
    `(${benchComponents.map((name) => `"${name}"`).join(' ')})` +
    `;created=${createdAt};keyid="${credential.id}";nonce="${randomBytes(16).toString('base64url')}"`
  const base = [
    `"@method": ${benchMethod}`,
    `"@target-uri": http://${benchAuthority}${target}`,
    `"@authority": ${benchAuthority}`,
    `"content-digest": ${contentDigest}`,
    '"content-type": application/json',
    `"x-request-id": ${requestId}`,
    `"@signature-params": ${params}`,
  ].join('\n')
  const mac = createHmac('sha256', credential.secret).update(base).digest()
  return {
    target,
    rawHeaders: [
      ['Host', benchAuthority],
      ['User-Agent', 'example-client/1.0'],
      ['Accept', '*/*'],
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.length)],
      ['X-Request-Id', requestId],
      ['Content-Digest', contentDigest],
      ['Signature-Input', `sig1=${params}`],
      ['Signature', `sig1=:${mac.toString('base64')}:`],
    ]
      .flat()
      .map(flat),
    body,
    base,
    mac,
    digest,
  }
}

/**
 * Gives the same text as a flat string of its own, as a parser makes it. One that was put together with `+` is a tree that
 * whoever reads it first has to flatten, and a literal of the program compares faster than any text that came by wire.
 */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
