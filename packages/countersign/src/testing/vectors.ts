import { base64Decode } from '../bytes/base64.ts'
import type { RequestMessage } from '../message/message.ts'
import { wireRequest } from '../message/message.ts'
import { CountersignError } from '../reasons/error.ts'

/** A request as it went over the wire. */
export interface SeedRequest {
  readonly method: string
  /** Absolute, without a fragment. */
  readonly url: string
  /** Request target byte for byte. */
  readonly target: string
  /** In wire order. Each character of a value is one byte; blanks at its ends count. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly bodyBase64: string
}

/** What the original server answered. */
export interface SeedVerdict {
  readonly outcome: 'accepted' | 'rejected' | 'error' | 'anonymous'
  readonly status: number
  /** Bytes the server fed to its MAC; null where it never got there. */
  readonly canonicalBase64: string | null
}

/** What the original client made of its arguments. */
export interface SeedSigner {
  readonly source: string
  /** Arguments, scheme by scheme. */
  readonly input: { readonly [name: string]: unknown }
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Bytes fed to the MAC or signature. */
  readonly canonicalBase64: string
}

/** A credential as the original knew it. */
export interface SeedCredential {
  readonly id: string | null
  readonly secret?: string
  readonly [member: string]: unknown
}

/** One case recorded from an original package: what it made, what went over the wire, what it answered. */
export interface SeedCase {
  readonly id: string
  readonly description: string
  /** `valid` where the original accepted the request as authenticated. */
  readonly kind: 'valid' | 'rejected'
  readonly tags: readonly string[]
  /** Seconds since the epoch, for client and server; may have a fraction. */
  readonly clock: number
  readonly credential: SeedCredential
  readonly server: { readonly credentials?: readonly SeedCredential[]; readonly [member: string]: unknown }
  readonly signer: SeedSigner | null
  readonly request: SeedRequest
  readonly verdict: SeedVerdict
}

/** A file of such cases. Reading it is left to the caller. */
export interface SeedFile {
  readonly format: 1
  readonly scheme: string
  readonly cases: readonly SeedCase[]
}

/**
 * Turns the request of a vector into the message a door would have made of it. An empty body is no content.
 * @throws CountersignError `config-invalid` where the body is not base64.
 */
export function seedRequest(request: SeedRequest): RequestMessage {
  const body = seedBytes(request.bodyBase64)
  return wireRequest({
    method: request.method,
    target: request.target,
    scheme: request.url.startsWith('https:') ? 'https' : 'http',
    fields: request.headers.flat(),
    body: body.length === 0 ? undefined : body,
  })
}

/**
 * Gives bytes that a vector writes as base64.
 * @throws CountersignError `config-invalid` where they are not.
 */
export function seedBytes(base64: string): Uint8Array {
  const bytes = base64Decode(base64)
  if (bytes === undefined)
    throw new CountersignError('config-invalid', 'vector: expected base64 with padding')
  return bytes
}
