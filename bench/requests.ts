import { createHash, createHmac, randomBytes } from 'node:crypto'

/** One signed request as Node's parser would hand it on, and what a naive check needs of it. */
export interface SignedRequest {
  readonly rawHeaders: readonly string[]
  readonly body: Uint8Array
  /** The finished signature base, for the bare crypto of a naive check. */
  readonly base: string
  readonly mac: Buffer
  readonly digest: Buffer
}

export const benchSecret = randomBytes(32)
export const benchKeyId = 'billing-service-2026'
export const benchNow = 1_795_000_000

/** Makes distinct requests: method, target-uri, authority, content-digest and two fields covered, 1 KiB of body. */
export function signedRequests(count: number): readonly SignedRequest[] {
  return Array.from({ length: count }, (_, i) => signedRequest(i))
}

export const benchMethod = 'POST'
export function benchTarget(i: number): string {
  return `/v1/invoices/${100_000 + i}/lines?page=${i}&sort=asc`
}

function signedRequest(i: number): SignedRequest {
  const body = randomBytes(1024)
  const digest = createHash('sha256').update(body).digest()
  const contentDigest = `sha-256=:${digest.toString('base64')}:`
  const params =
    '("@method" "@target-uri" "@authority" "content-digest" "content-type" "x-request-id")' +
    `;created=${benchNow - (i % 200)};keyid="${benchKeyId}";nonce="${randomBytes(16).toString('base64url')}"`
  const requestId = randomBytes(8).toString('hex')
  const base = [
    `"@method": ${benchMethod}`,
    `"@target-uri": http://api.example.com${benchTarget(i)}`,
    '"@authority": api.example.com',
    `"content-digest": ${contentDigest}`,
    '"content-type": application/json',
    `"x-request-id": ${requestId}`,
    `"@signature-params": ${params}`,
  ].join('\n')
  const mac = createHmac('sha256', benchSecret).update(base).digest()
  return {
    rawHeaders: [
      ['Host', 'api.example.com'],
      ['User-Agent', 'example-client/1.0'],
      ['Accept', '*/*'],
      ['Content-Type', 'application/json'],
      ['Content-Length', '1024'],
      ['X-Request-Id', requestId],
      ['Content-Digest', contentDigest],
      ['Signature-Input', `sig1=${params}`],
      ['Signature', `sig1=:${mac.toString('base64')}:`],
    ].flat(),
    body,
    base,
    mac,
    digest,
  }
}
