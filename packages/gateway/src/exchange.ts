import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HeldBody } from './spool.ts'

/** What the framing of a request says of its content. RFC 9112 section 6.3. */
export interface Framing {
  readonly hasContent: boolean
  /** Content-Length, where there is one. */
  readonly declaredBytes: number | undefined
  /** Why the framing is not accepted. */
  readonly problem: string | undefined
}

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly framing: Framing
  /** Milliseconds of the monotonic clock. */
  readonly startedMs: number
  /** Whether the client waits for `100 Continue` before it sends the content. */
  awaitsContinue: boolean
  /** The content, once somebody has it in hand. */
  body: HeldBody | undefined
}

/** Makes an exchange of what the server gives. */
export function exchangeOf(
  request: IncomingMessage,
  response: ServerResponse,
  awaitsContinue: boolean,
): Exchange {
  return {
    request,
    response,
    framing: framingOf(request),
    startedMs: performance.now(),
    awaitsContinue,
    body: undefined,
  }
}

/** Tells a client that waits for it to go on. */
export function sendContinue(exchange: Exchange): void {
  if (!exchange.awaitsContinue) return
  exchange.awaitsContinue = false
  exchange.response.writeContinue()
}

function framingOf(request: IncomingMessage): Framing {
  const { rawHeaders } = request
  let length: string | undefined
  let coding: string | undefined
  let problem: string | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    // Both names have lengths that few others have; most fields are passed over without being lower-cased.
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (length !== undefined) problem = 'there is more than one Content-Length'
      length = rawHeaders[i + 1] ?? ''
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (coding !== undefined) problem = 'there is more than one Transfer-Encoding'
      coding = rawHeaders[i + 1] ?? ''
    }
  }
  if (coding !== undefined) {
    if (length !== undefined) problem = 'there are both Content-Length and Transfer-Encoding'
    if (coding.toLowerCase() !== 'chunked')
      problem = 'a transfer coding other than chunked would be lost on the way'
    if (request.httpVersionMajor === 1 && request.httpVersionMinor === 0)
      problem = 'HTTP/1.0 has no transfer codings'
  }
  if (length !== undefined && !/^\d+$/.test(length)) problem = 'Content-Length is not a number'
  const declaredBytes = length === undefined ? undefined : Number(length)
  return { hasContent: coding !== undefined || (declaredBytes ?? 0) > 0, declaredBytes, problem }
}
