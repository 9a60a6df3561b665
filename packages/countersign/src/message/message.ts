import { utf8Encode } from '../bytes/utf8.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Body } from './body.ts'
import type { FieldLines } from './field-lines.ts'
import { fieldValue, isFieldName, trimBlanks } from './field-lines.ts'
import type { TargetParts } from './target.ts'
import { isAuthority, normalizeAuthority, splitAbsolute, splitTarget } from './target.ts'

/** A request as received or as about to be sent. Frozen data: nothing is decoded, joined or normalised. */
export interface RequestMessage {
  readonly kind: 'request'
  readonly method: string
  /** Request target as on the request line. */
  readonly target: string
  /** The same target taken apart. */
  readonly parts: TargetParts
  /** Scheme of the connection, as the door knows it. */
  readonly scheme: 'http' | 'https'
  /** Authority as sent, from the one Host line or the absolute form. */
  readonly authority: string
  readonly fields: FieldLines
  readonly body: Body
  readonly trailers: FieldLines | undefined
  /** Why the message cannot be judged; the verifier answers `message-malformed` with it. */
  readonly problem: string | undefined
}

/** A response as received or as about to be sent. */
export interface ResponseMessage {
  readonly kind: 'response'
  readonly status: number
  readonly fields: FieldLines
  readonly body: Body
  readonly trailers: FieldLines | undefined
  /** The request that this answers, for components with `;req`. RFC 9421 section 2.4. */
  readonly request: RequestMessage | undefined
  readonly problem: string | undefined
}

/** A message that is signed or verified. */
export type Message = RequestMessage | ResponseMessage

/** Field lines as a flat list, as pairs, as a record, or as anything that iterates over pairs (`Headers`, `Map`). */
export type FieldsInput =
  | FieldLines
  | Iterable<readonly [string, string]>
  | { readonly [name: string]: string | readonly string[] | undefined }

/** What `requestMessage` takes. */
export interface RequestMessageInput {
  /** Default `GET`. Taken as given, never upper-cased. */
  readonly method?: string
  /**
   * Absolute URL, or origin form (`/path?query`) with a Host field among `headers`, which is taken as plain `http`.
   * Kept raw. A fragment of an absolute URL is dropped, as no client sends it.
   */
  readonly url: string | URL
  /** The request target as sent, where it differs from the path and query of `url`. */
  readonly target?: string
  readonly headers?: FieldsInput
  /** Text is encoded as UTF-8. */
  readonly body?: string | Body
  readonly trailers?: FieldsInput
}

/** What `responseMessage` takes. */
export interface ResponseMessageInput {
  /** 100 to 599. */
  readonly status: number
  readonly headers?: FieldsInput
  /** Text is encoded as UTF-8. */
  readonly body?: string | Body
  readonly trailers?: FieldsInput
  readonly request?: RequestMessage
}

/** Facts of a request as a door found them on its connection. */
export interface WireRequest {
  readonly method: string
  readonly target: string
  readonly scheme: 'http' | 'https'
  readonly fields: FieldLines
  readonly body: Body
  readonly trailers?: FieldLines | undefined
  /** Authority where the wire says it elsewhere than in Host (HTTP/2 `:authority`, a trusted proxy). */
  readonly authority?: string
}

// RFC 9110 section 9.1; no registered method comes near the length.
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

/**
 * Makes a message of what came over a wire. Never throws: what cannot be judged gets a `problem`.
 * Two Host lines, none at all, or an absolute target for another authority are such (RFC 9112 section 3.2), and so is
 * a method that is no token: a line feed in it would write lines of its own into a signature base.
 */
export function wireRequest(wire: WireRequest): RequestMessage {
  if (!token.test(wire.method)) return unjudgeable(wire, 'the method is not a token')
  const parts = splitTarget(wire.target, wire.method)
  if (typeof parts === 'string') return unjudgeable(wire, parts)
  const { fields } = wire
  let line: string | undefined
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (!isFieldName(fields[i] ?? '', 'host', 'Host')) continue
    if (line !== undefined) return unjudgeable(wire, 'the message has more than one Host line')
    line = trimBlanks(fields[i + 1] ?? '')
  }
  const host = wire.authority ?? line
  if (host === undefined) return unjudgeable(wire, 'the message has no Host')
  if (!isAuthority(host) || (line !== undefined && line !== host && !isAuthority(line))) {
    return unjudgeable(wire, 'Host is not host and port')
  }
  if (parts.authority !== undefined && parts.authority.toLowerCase() !== host.toLowerCase()) {
    return unjudgeable(wire, 'the absolute request target names another authority than Host')
  }
  if (parts.scheme !== undefined && parts.scheme !== wire.scheme) {
    return unjudgeable(wire, 'the absolute request target names another scheme than the connection')
  }
  return request(wire, parts, host, undefined)
}

/**
 * Makes a request message from its parts. `url` is kept raw: nothing is decoded, sorted or resolved. What may have come
 * over a wire never throws: a message that cannot be judged gets a `problem`.
 * @throws CountersignError `config-invalid` where `url` is neither an http URL nor a path, or an option is of another type.
 */
export function requestMessage(input: RequestMessageInput): RequestMessage {
  const url = String(input.url)
  const scheme = /^https:/i.test(url) ? 'https' : 'http'
  const wire = {
    method: input.method ?? 'GET',
    scheme,
    fields: fieldLines(input.headers),
    body: bodyOf(input.body),
    trailers: input.trailers === undefined ? undefined : fieldLines(input.trailers),
  } as const
  if (url.startsWith('/')) return wireRequest({ ...wire, target: input.target ?? url })
  if (!/^https?:\/\//i.test(url)) {
    throw new CountersignError(
      'config-invalid',
      'url: expected an http or https URL, or a path with a Host field',
    )
  }
  const parts = splitAbsolute(withoutFragment(url))
  if (typeof parts === 'string') return unjudgeable({ ...wire, target: input.target ?? url }, parts)
  const { authority = '', path, query } = parts
  const target = input.target ?? `${path === '' ? '/' : path}${query === undefined ? '' : `?${query}`}`
  const message = wireRequest({ ...wire, target, authority })
  const host = fieldValue(wire.fields, 'host')
  // The server would go by Host, so a signature that only fits the URL must not count.
  return message.problem === undefined &&
    host !== undefined &&
    normalizeAuthority(host, scheme) !== normalizeAuthority(authority, scheme)
    ? { ...message, problem: 'the URL names another authority than Host' }
    : message
}

/** Makes a response message from its parts. A status beyond 100 to 599 is a `problem`. */
export function responseMessage(input: ResponseMessageInput): ResponseMessage {
  const { status } = input
  const isStatus = Number.isInteger(status) && status >= 100 && status <= 599
  return {
    kind: 'response',
    status,
    fields: fieldLines(input.headers),
    body: bodyOf(input.body),
    trailers: input.trailers === undefined ? undefined : fieldLines(input.trailers),
    request: input.request,
    problem: isStatus ? undefined : 'the status is not a number from 100 to 599',
  }
}

/**
 * Brings headers in any usual form into field lines, in order.
 * @throws CountersignError `config-invalid` where a name or value is no text, or a flat list lacks its last value.
 */
export function fieldLines(input: FieldsInput | undefined): FieldLines {
  const lines: string[] = []
  if (input === undefined) return lines
  if (isFlat(input)) {
    if (input.length % 2 !== 0) throw invalidHeaders('a flat list with a value for every name')
    for (const text of input) lines.push(checkedText(text))
    return lines
  }
  if (isIterable(input)) {
    for (const [name, value] of input) lines.push(checkedText(name), checkedText(value))
    return lines
  }
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) lines.push(name, checkedText(one))
  }
  return lines
}

function isFlat(input: FieldsInput): input is FieldLines {
  return Array.isArray(input) && (input.length === 0 || typeof input[0] === 'string')
}

function isIterable(input: object): input is Iterable<readonly [string, string]> {
  return Symbol.iterator in input
}

function checkedText(text: unknown): string {
  if (typeof text !== 'string') throw invalidHeaders('names and values as text')
  return text
}

function invalidHeaders(expected: string): CountersignError {
  return new CountersignError('config-invalid', `headers: expected ${expected}`)
}

function withoutFragment(url: string): string {
  const mark = url.indexOf('#')
  return mark < 0 ? url : url.slice(0, mark)
}

function bodyOf(body: string | Body): Body {
  if (typeof body === 'string') return utf8Encode(body)
  if (body === undefined || body instanceof Uint8Array || body?.kind === 'body-source') return body
  throw new CountersignError('config-invalid', 'body: expected text, a Uint8Array, a body source or nothing')
}

function unjudgeable(wire: WireRequest, problem: string): RequestMessage {
  return request(wire, { form: 'origin', path: wire.target, query: undefined }, '', problem)
}

function request(
  wire: WireRequest,
  parts: TargetParts,
  authority: string,
  problem: string | undefined,
): RequestMessage {
  return {
    kind: 'request',
    method: wire.method,
    target: wire.target,
    parts,
    scheme: wire.scheme,
    authority,
    fields: wire.fields,
    body: wire.body,
    trailers: wire.trailers,
    problem,
  }
}
