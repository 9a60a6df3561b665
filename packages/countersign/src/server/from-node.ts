import { fieldValues, isFieldName } from '../message/field-lines.ts'
import { type ForwardedOrigin, forwardedOrigin, type TrustedHops, trustedHops } from '../message/forwarded.ts'
import { type RequestMessage, type WireRequest, wireRequest } from '../message/message.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Verdict, Verified } from '../verifier/verdict.ts'
import type { Verifier } from '../verifier/verifier.ts'
import { type BodyStream, isComplete, RequestBody } from './request-body.ts'

/** What of a Node socket is looked at. */
export interface NodeSocket {
  readonly remoteAddress?: string | undefined
  readonly encrypted?: unknown
  readonly server?: unknown
}

/** A `100 Continue` that is held back. */
interface Continuation {
  readonly send: () => void
  claimed: boolean
}

/** What a guard made of a request. */
interface Judgement {
  readonly verifier: Verifier
  readonly policy: object | undefined
  readonly verdict: Verdict
}

/** What guards remember of a request: one object, since each property more costs microseconds on a request of Express. */
interface RequestState {
  body: RequestBody<NodeRequest> | undefined
  continuation: Continuation | undefined
  judgement: Judgement | undefined
}

const requestState: unique symbol = Symbol('countersign')

/** What of a Node request is looked at. `IncomingMessage`, HTTP/2's compatible request and what frameworks make of them fit. */
export interface NodeRequest extends BodyStream {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** The request target before a framework took a mount point off `url`. */
  readonly originalUrl?: string
  readonly httpVersionMajor: number
  readonly rawHeaders: readonly string[]
  readonly socket: NodeSocket
  readonly readableDidRead: boolean
  /** What a body parser made of the body. */
  readonly body?: unknown
  readonly stream?: { readonly readableEnded: boolean; readonly endAfterHeaders?: boolean }
  /** What the guards of Node doors set. */
  signature?: Verified | undefined
  [requestState]?: RequestState
}

/** What a Node door takes on top of `GuardOptions`. */
export interface ConnectionOptions {
  /**
   * Peers whose `Forwarded`, `X-Forwarded-Host` and `X-Forwarded-Proto` say host and scheme: addresses, networks such as
   * `10.0.0.0/8`, or `unix` for a peer on a Unix socket. Default: none. Such a field must have exactly one value.
   */
  readonly trustProxy?: readonly string[]
  /** Most header field lines of a request. Default 128; 1 to 256. More are refused with `message-malformed`. */
  readonly maxFields?: number
  /** How long a body may take once it is asked for, in milliseconds. Default 30000; 1 to 3600000. Refused with `message-malformed`. */
  readonly bodyTimeoutMs?: number
}

/** Connection options, checked and compiled. */
export interface ConnectionRules {
  readonly trusts: TrustedHops | undefined
  readonly maxFields: number
  readonly bodyTimeoutMs: number
  /** How this framework puts the guard in front of its body parser, for the error `body-already-read`. */
  readonly order: string
}

const targetLimit = 8192
const nothingForwarded: ForwardedOrigin = { authority: undefined, scheme: undefined }

/**
 * Checks and compiles connection options.
 * @throws CountersignError `config-invalid` where one cannot work.
 */
export function connectionRules(options: ConnectionOptions = {}, order?: string): ConnectionRules {
  const { trustProxy, maxFields = 128, bodyTimeoutMs = 30_000 } = options
  return {
    trusts: trustProxy === undefined || trustProxy.length === 0 ? undefined : trustedHops(trustProxy),
    maxFields: wholeNumber('maxFields', maxFields, 256),
    bodyTimeoutMs: wholeNumber('bodyTimeoutMs', bodyTimeoutMs, 3_600_000),
    order: order ?? 'verify the request before anything reads its body',
  }
}

const defaultRules = connectionRules()

/**
 * Reads a Node request as a message, from its raw field lines and raw target. Its body is read when the verifier asks,
 * and put back for the parser behind. Trailers are left out: they arrive after the decision. Pass rules made once.
 * @throws CountersignError `body-already-read` where something read the body before.
 */
export function nodeRequest(req: NodeRequest, rules: ConnectionRules = defaultRules): RequestMessage {
  const target = req.originalUrl ?? req.url ?? ''
  const content = contentOf(req)
  const authority = authorityOf(req)
  const forwarded =
    rules.trusts?.(req.socket.remoteAddress) === true ? forwardedOrigin(req.rawHeaders) : nothingForwarded
  const problem =
    countProblem(req, rules) ??
    (target.length > targetLimit ? `the request target is over ${targetLimit} characters` : undefined) ??
    problemOf(content) ??
    problemOf(authority) ??
    problemOf(forwarded)
  const origin = typeof forwarded === 'string' ? nothingForwarded : forwarded
  const sayer = origin.authority ?? (typeof authority === 'string' ? undefined : authority.value)
  const wire: WireRequest = {
    method: req.method ?? '',
    target,
    scheme: origin.scheme ?? (req.socket.encrypted === true ? 'https' : 'http'),
    fields: req.httpVersionMajor < 2 ? req.rawHeaders : withoutPseudoFields(req.rawHeaders),
    body: typeof content === 'string' || !content.present ? undefined : bodyOf(req, content, rules),
  }
  const message = wireRequest(sayer === undefined ? wire : { ...wire, authority: sayer })
  return problem === undefined ? message : { ...message, problem }
}

/** Gives what guards remember of a request. @internal */
export function stateOf(req: NodeRequest): RequestState {
  req[requestState] ??= { body: undefined, continuation: undefined, judgement: undefined }
  return req[requestState]
}

/**
 * Notes that a client waits for `100 Continue`; `send` is called once, when its body is wanted. RFC 9110 section 10.1.1.
 * @internal
 */
export function holdContinue(req: NodeRequest, send: () => void): void {
  stateOf(req).continuation = { send, claimed: false }
}

/** Notes that a guard decides when `100 Continue` is sent. @internal */
export function claimContinue(req: NodeRequest): void {
  const held = req[requestState]?.continuation
  if (held !== undefined) held.claimed = true
}

/** Tells whether a guard decides when `100 Continue` is sent. @internal */
export function isContinueClaimed(req: NodeRequest): boolean {
  return req[requestState]?.continuation?.claimed === true
}

/** Tells whether a client still waits for `100 Continue`. @internal */
export function awaitsContinue(req: NodeRequest): boolean {
  return req[requestState]?.continuation !== undefined
}

/** Sends `100 Continue` to a client that waits for it. @internal */
export function sendContinue(req: NodeRequest): void {
  const state = req[requestState]
  if (state?.continuation === undefined) return
  const { send } = state.continuation
  state.continuation = undefined
  send()
}

/**
 * Tells whether more than `limitBytes` of a body may still arrive, or the rest of one that was begun: Node then neither
 * reads it away nor gets to the next request.
 * @internal
 */
export function owesBody(req: NodeRequest, limitBytes: number): boolean {
  const content = contentOf(req)
  if (typeof content === 'string' || !content.present || isComplete(req)) return false
  return (
    (content.declaredBytes ?? Number.POSITIVE_INFINITY) > limitBytes ||
    awaitsContinue(req) ||
    req[requestState]?.body?.touched === true
  )
}

/** Tells how many header entries this server keeps: Node 20 silently drops lines beyond it. */
function keptEntries(server: unknown): number {
  const lines =
    typeof server === 'object' && server !== null && 'maxHeadersCount' in server
      ? server.maxHeadersCount
      : undefined
  if (typeof lines !== 'number') return 2000
  return lines <= 0 ? Number.POSITIVE_INFINITY : 2 * lines
}

function countProblem(req: NodeRequest, rules: ConnectionRules): string | undefined {
  const entries = req.rawHeaders.length
  if (entries > 2 * rules.maxFields) return `the request has more than ${rules.maxFields} header lines`
  // Whatever reached the boundary may have lost lines behind it, and the framework sees fewer than were signed.
  if (req.httpVersionMajor < 2 && entries >= keptEntries(req.socket.server)) {
    return 'the request has as many header lines as maxHeadersCount of the server lets through'
  }
  return undefined
}

interface Authority {
  readonly value: string | undefined
}

const noAuthority: Authority = { value: undefined }

interface Content {
  readonly present: boolean
  readonly declaredBytes: number | undefined
}

const noContent: Content = { present: false, declaredBytes: undefined }

/** Tells from the framing whether there is content, never from what arrived. RFC 9112 section 6.3. */
function contentOf(req: NodeRequest): Content | string {
  let length: string | undefined
  let coded = false
  const { rawHeaders } = req
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (isFieldName(name, 'content-length')) {
      if (length !== undefined) return 'the request has more than one Content-Length'
      length = rawHeaders[i + 1] ?? ''
    } else if (isFieldName(name, 'transfer-encoding')) coded = true
  }
  if (length !== undefined) {
    // Node's parser refuses both unless it was told to be lenient, and then two readers may see two messages.
    if (coded) return 'the request has both Content-Length and Transfer-Encoding'
    if (!/^\d+$/.test(length)) return 'Content-Length is not a number'
  }
  if (length === undefined && !coded && req.httpVersionMajor < 2) return noContent
  const declaredBytes = length === undefined ? undefined : Number(length)
  if (declaredBytes === 0) return { present: false, declaredBytes }
  const present =
    req.httpVersionMajor < 2 ? coded || declaredBytes !== undefined : req.stream?.endAfterHeaders !== true
  return { present, declaredBytes }
}

function bodyOf(req: NodeRequest, content: Content, rules: ConnectionRules): RequestBody<NodeRequest> {
  const state = stateOf(req)
  if (state.body?.touched === true) return state.body
  if (req.readableDidRead || req.readableEnded || req.body !== undefined) {
    throw new CountersignError(
      'body-already-read',
      `the body was read or parsed before its signature could be checked, and parsed content is never verified: ${rules.order}`,
    )
  }
  const { declaredBytes } = content
  const { bodyTimeoutMs: timeoutMs } = rules
  state.body ??= new RequestBody({ stream: req, declaredBytes, timeoutMs, beforeRead: sendContinue })
  return state.body
}

/** The authority that HTTP/2 says beside Host, where it does. RFC 9113 section 8.3.1. */
function authorityOf(req: NodeRequest): Authority | string {
  if (req.httpVersionMajor < 2) return noAuthority
  const value = fieldValues(req.rawHeaders, ':authority')[0]
  const host = fieldValues(req.rawHeaders, 'host')[0]
  return value !== undefined && host !== undefined && value.toLowerCase() !== host.toLowerCase()
    ? ':authority and Host disagree'
    : { value }
}

function withoutPseudoFields(lines: readonly string[]): readonly string[] {
  const fields: string[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = lines[i] ?? ''
    if (!name.startsWith(':')) fields.push(name, lines[i + 1] ?? '')
  }
  return fields
}

function problemOf(found: object | string): string | undefined {
  return typeof found === 'string' ? found : undefined
}

function wholeNumber(option: string, value: unknown, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new CountersignError('config-invalid', `${option}: expected a whole number from 1 to ${most}`)
}
