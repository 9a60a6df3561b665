import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { concatBytes } from '../bytes/concat.ts'
import { utf8Encode } from '../bytes/utf8.ts'
import { fieldValues, isFieldName } from '../message/field-lines.ts'
import { type FieldsInput, fieldLines, type RequestMessage, wireRequest } from '../message/message.ts'
import type { Patch } from '../message/patch.ts'
import { defaultPort, splitAbsolute } from '../message/target.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Signer } from '../signer/signer.ts'
import {
  bodyFields,
  credentialFields,
  nextRedirect,
  type Redirect,
  type RedirectOptions,
  redirectRules,
} from './redirect.ts'

/** Options of `http.request` that would change what is signed; the URL, `method` and `headers` say it instead. */
type SignedAway =
  | 'auth'
  | 'defaultPort'
  | 'headers'
  | 'host'
  | 'hostname'
  | 'method'
  | 'path'
  | 'port'
  | 'protocol'
  | 'setHost'
  | 'uniqueHeaders'

/** What `signedRequest` takes: the options of `https.request` (agent, signal, ca, timeout) but those that the signature fixes. */
export interface SignedRequestOptions extends Omit<RequestOptions, SignedAway>, RedirectOptions {
  /** Default `GET`. Sent as given. */
  readonly method?: string
  /** Sent in order and as spelled; in front of them Host, behind them Content-Length, where they are not given. */
  readonly headers?: FieldsInput
  /** Default `manual`, as `http.request` has it: the redirect response is given back. `follow` signs each hop afresh. */
  readonly redirect?: 'manual' | 'follow'
  /** Longest body read from a stream, in bytes. Default 16 MiB. */
  readonly limitBytes?: number
}

/** A body to be sent. Text is its UTF-8 bytes; a stream is read whole before the request starts. */
export type SignedRequestBody = string | Uint8Array | AsyncIterable<string | Uint8Array>

/**
 * Sends a signed request over `node:http` or `node:https` and gives the response, to be read or `resume()`d by the caller.
 * A promise and not a `ClientRequest`: the signature stands in front of the body, so nothing can be written later.
 * The request target goes out as it stands in `url`: dot segments, percent-encoding and an empty query stay as they are.
 * @throws CountersignError `config-invalid`, `body-unavailable`, `component-unavailable`, `redirect-refused`;
 * failures of the network are those of `node:http`.
 */
export async function signedRequest(
  signer: Signer,
  url: string | URL,
  options: SignedRequestOptions = {},
  body?: SignedRequestBody,
): Promise<IncomingMessage> {
  const {
    method = 'GET',
    headers,
    redirect = 'manual',
    crossOrigin,
    maxRedirects,
    limitBytes,
    ...rest
  } = options
  const rules = redirectRules({
    ...(crossOrigin === undefined ? {} : { crossOrigin }),
    ...(maxRedirects === undefined ? {} : { maxRedirects }),
  })
  const bytes = await readBody(body, limitBytes ?? 16_777_216)
  let request = outgoing(String(url), method, fieldLines(headers), bytes)
  let signs = true
  for (let count = 0; ; count++) {
    const ready = signs ? patched(request, await signer.sign(request.message)) : request
    const response = await exchange(ready, rest)
    if (redirect === 'manual') return response
    const { method, scheme, target } = ready.message
    const next = nextRedirect(
      {
        status: response.statusCode ?? 0,
        location: response.headers.location,
        url: new URL(`${scheme}://${ready.connectTo}${target}`),
        method,
        count,
      },
      rules,
    )
    if (next === undefined) return response
    response.resume()
    signs &&= !next.crossesOrigin
    request = afterRedirect(request, next)
  }
}

/** A message exactly as it will stand on the wire, and where to. */
interface Outgoing {
  readonly message: RequestMessage
  /** Authority of the URL; a Host field of the caller does not change it. */
  readonly connectTo: string
  readonly body: Uint8Array | undefined
}

function outgoing(
  url: string,
  method: string,
  given: readonly string[],
  body: Uint8Array | undefined,
): Outgoing {
  const mark = url.indexOf('#')
  const parts = splitAbsolute(mark < 0 ? url : url.slice(0, mark))
  if (typeof parts === 'string') throw new CountersignError('config-invalid', `url: ${parts}`)
  const path = parts.path === '' ? '/' : parts.path
  const target = parts.query === undefined ? path : `${path}?${parts.query}`

  const fields = [...given]
  if (fieldValues(fields, 'host').length === 0) fields.unshift('Host', parts.authority ?? '')
  if (fieldValues(fields, 'transfer-encoding').length > 0) {
    throw new CountersignError(
      'config-invalid',
      'headers: Transfer-Encoding cannot be set; the length is known',
    )
  }
  const length = String(body?.length ?? 0)
  const declared = fieldValues(fields, 'content-length')
  if (declared.some((value) => value !== length)) {
    throw new CountersignError('config-invalid', 'headers: Content-Length is not the length of the body')
  }
  // RFC 9110 section 8.6: a method that expects content says 0 where there is none.
  if (declared.length === 0 && (body !== undefined || !withoutContent.has(method))) {
    fields.push('Content-Length', length)
  }
  const scheme = parts.scheme === 'https' ? 'https' : 'http'
  const message = wireRequest({ method, target, scheme, fields, body })
  if (message.problem !== undefined)
    throw new CountersignError('config-invalid', `request: ${message.problem}`)
  return { message, connectTo: parts.authority ?? '', body }
}

/** Methods that say nothing about content where they have none. */
const withoutContent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'])

function patched(request: Outgoing, patch: Patch): Outgoing {
  const { message } = request
  const names = patch.set.map(([name]) => name.toLowerCase())
  const fields = [...withoutFields(message.fields, names), ...patch.set.flat()]
  const joint = message.target.includes('?') ? '&' : '?'
  const target = patch.query === undefined ? message.target : `${message.target}${joint}${patch.query}`
  return { ...request, message: { ...message, fields, target } }
}

function afterRedirect(request: Outgoing, next: Redirect): Outgoing {
  // Content-Length follows the body and Host, unless it is the caller's own, the URL.
  const dropped = ['content-length', ...(next.dropsBody ? bodyFields : [])]
  if (next.crossesOrigin) dropped.push(...credentialFields)
  const fields = withoutFields(request.message.fields, dropped)
  return outgoing(next.url.href, next.method, fields, next.dropsBody ? undefined : request.body)
}

function withoutFields(lines: readonly string[], lowerNames: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = lines[i] ?? ''
    if (!lowerNames.some((lowerName) => isFieldName(name, lowerName))) kept.push(name, lines[i + 1] ?? '')
  }
  return kept
}

function exchange(request: Outgoing, options: RequestOptions): Promise<IncomingMessage> {
  const { message, connectTo, body } = request
  const { hostname, port } = new URL(`${message.scheme}://${connectTo}`)
  const open = message.scheme === 'https' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = open(
      {
        ...options,
        protocol: `${message.scheme}:`,
        hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
        port: port === '' ? defaultPort(message.scheme) : port,
        path: message.target,
        method: message.method,
        // As a flat list, Node writes the lines as they are: no Host of its own, no order of its own, nothing joined.
        headers: [...message.fields],
      },
      resolve,
    )
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${connectTo} within the timeout`)))
    sent.end(body)
  })
}

async function readBody(
  body: SignedRequestBody | undefined,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  if (body === undefined) return undefined
  if (typeof body === 'string') return utf8Encode(body)
  // A copy: what is signed is what is sent, whatever the caller does to the array meanwhile. `slice` of a Buffer is none.
  if (body instanceof Uint8Array) return new Uint8Array(body)
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    const part = typeof chunk === 'string' ? utf8Encode(chunk) : chunk
    length += part.length
    if (length > limitBytes) {
      throw new CountersignError(
        'body-unavailable',
        `body: more than ${limitBytes} bytes, which would have to be held to be signed: raise limitBytes`,
      )
    }
    parts.push(part)
  }
  return concatBytes(parts)
}
