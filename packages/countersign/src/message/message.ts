import { utf8Encode } from '../bytes/utf8.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Body } from './body.ts'
import type { FieldLines } from './field-lines.ts'
import { fieldValue, isFieldName, trimBlanks } from './field-lines.ts'
import type { TargetParts } from './target.ts'
import { isAuthority, splitAbsolute, splitTarget } from './target.ts'

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
  | Iterable<readonly [string, string]>
  | { readonly [name: string]: string | readonly string[] | undefined }

/** What `requestMessage` takes. */
export interface RequestMessageInput {
  /** Default `GET`. Taken as given, never upper-cased. */
  readonly method?: string
  /** Absolute URL, or origin form (`/path?query`) with a Host field among `headers`. Kept raw. */
  readonly url: string
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
 * Two Host lines, none at all, or an absolute target for another authority are such (RFC 9112 section 3.2).
 */
export function wireRequest(wire: WireRequest): RequestMessage {
  if (!token.test(wire.method)) return unjudgeable(wire, 'the method is not a token')
  const parts = splitTarget(wire.target, wire.method)
  if (typeof parts === 'string') return unjudgeable(wire, parts)
  const { fields } = wire
  let line: string | undefined
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (!isFieldName(fields[i] ?? '', 'host')) continue
    if (line !== undefined) return unjudgeable(wire, 'the message has more than one Host line')
    line = trimBlanks(fields[i + 1] ?? '')
  }
  const host = wire.authority ?? line ?? parts.authority
  if (host === undefined) return unjudgeable(wire, 'the message has no Host')
  if (!isAuthority(host)) return unjudgeable(wire, 'Host is not host and port')
  if (parts.authority !== undefined && parts.authority.toLowerCase() !== host.toLowerCase()) {
    return unjudgeable(wire, 'the absolute request target names another authority than Host')
  }
  if (parts.scheme !== undefined && parts.scheme !== wire.scheme) {
    return unjudgeable(wire, 'the absolute request target names another scheme than the connection')
  }
  return request(wire, parts, host, undefined)
}

/**
 * Makes a request message from its parts. `url` is kept raw: nothing is decoded, sorted or resolved.
 * @throws CountersignError `config-invalid` where `url` is neither absolute nor a path with a Host field.
 */
export function requestMessage(input: RequestMessageInput): RequestMessage {
  const method = input.method ?? 'GET'
  const fields = fieldLines(input.headers)
  const origin = input.url.startsWith('/')
  const parts = origin ? splitTarget(input.url, method) : splitAbsolute(withoutFragment(input.url))
  if (typeof parts === 'string') throw new CountersignError('config-invalid', `url: ${parts}`)
  const authority = origin ? fieldValue(fields, 'host') : parts.authority
  if (authority === undefined) {
    throw new CountersignError(
      'config-invalid',
      'url: a path needs a Host field among the headers, or give an absolute URL',
    )
  }
  const path = parts.path === '' ? '/' : parts.path
  const target = input.target ?? (parts.query === undefined ? path : `${path}?${parts.query}`)
  return wireRequest({
    method,
    target,
    scheme: parts.scheme === 'http' || origin ? 'http' : 'https',
    fields,
    body: bodyOf(input.body),
    authority,
    trailers: input.trailers === undefined ? undefined : fieldLines(input.trailers),
  })
}

/** Makes a response message from its parts. */
export function responseMessage(input: ResponseMessageInput): ResponseMessage {
  return {
    kind: 'response',
    status: input.status,
    fields: fieldLines(input.headers),
    body: bodyOf(input.body),
    trailers: input.trailers === undefined ? undefined : fieldLines(input.trailers),
    request: input.request,
    problem: undefined,
  }
}

/** Brings headers in any usual form into field lines, in order. */
export function fieldLines(input: FieldsInput | undefined): FieldLines {
  const lines: string[] = []
  if (input === undefined) return lines
  if (isIterable(input)) {
    for (const [name, value] of input) lines.push(name, value)
    return lines
  }
  for (const [name, value] of Object.entries(input)) {
    if (typeof value === 'string') lines.push(name, value)
    else if (value !== undefined) for (const one of value) lines.push(name, one)
  }
  return lines
}

function isIterable(input: FieldsInput): input is Iterable<readonly [string, string]> {
  return Symbol.iterator in input
}

function withoutFragment(url: string): string {
  const mark = url.indexOf('#')
  return mark < 0 ? url : url.slice(0, mark)
}

function bodyOf(body: string | Body): Body {
  return typeof body === 'string' ? utf8Encode(body) : body
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
