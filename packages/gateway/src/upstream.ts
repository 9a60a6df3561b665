import type { ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { buildConnector, type Dispatcher, errors, Pool } from 'undici'
import { clientFields } from './fields.ts'
import { atTurnEnd } from './turn.ts'

/** How an upstream is reached. */
export interface UpstreamOptions {
  readonly connections: number
  readonly connectTimeoutMs: number
  /** Longest wait for the head of an answer, and for each piece of its body. */
  readonly responseTimeoutMs: number
}

/** A request for an upstream, exactly as it goes out. */
export interface UpstreamRequest {
  readonly method: string
  readonly target: string
  readonly fields: string[]
  readonly content: Buffer | Readable | undefined
}

/** Why an upstream gave no answer that could be passed on. */
export type UpstreamTrouble = 'upstream-unreachable' | 'upstream-slow' | 'upstream-broken' | 'fields-refused'

/** A request on its way to an upstream. */
export interface UpstreamExchange {
  /** Lets the answer through to the client; before this an early answer waits. */
  pass(): void
  /** Breaks off: the connection is closed. */
  cut(): void
  /** Ends with the answer passed on in whole (`undefined`), or with what went wrong. */
  readonly done: Promise<UpstreamTrouble | 'cut' | undefined>
}

/** A service behind the gateway: a pool of connections to one origin, one request at a time on each, none ever sent twice. */
export class Upstream {
  readonly origin: string
  readonly #hostname: string
  readonly #pool: Pool

  constructor(origin: string, options: UpstreamOptions) {
    this.origin = origin
    this.#hostname = new URL(origin).hostname.replace(/^\[|\]$/g, '')
    this.#pool = new Pool(origin, {
      connections: options.connections,
      pipelining: 1,
      connect: connectorTo(this.#hostname, options.connectTimeoutMs),
      headersTimeout: options.responseTimeoutMs,
      bodyTimeout: options.responseTimeoutMs,
      maxHeaderSize: 65_536,
      allowH2: false,
    })
  }

  /** Sends a request and passes the answer on to the client, once `pass` allows it. `onAnswer` is told when its head is there. */
  send(request: UpstreamRequest, response: ServerResponse, onAnswer?: () => void): UpstreamExchange {
    const relay = new Relay(response, onAnswer)
    try {
      const { method, target, fields, content } = request
      // The name, which undici's types leave out: without it a connection with TLS is closed when the next Host is another one.
      const options = {
        method,
        path: target,
        headers: fields,
        body: content ?? null,
        servername: this.#hostname,
      }
      this.#pool.dispatch(options, relay)
    } catch (cause) {
      relay.fail(cause)
    }
    return relay
  }

  /** Closes all connections at once; what is on its way breaks off. */
  close(): Promise<void> {
    return this.#pool.destroy()
  }
}

// Content up to here goes out as one string with the head, where it comes in one piece: one write, and no buffer of its own.
const oneStringBytes = 12_288

class Relay implements Dispatcher.DispatchHandler, UpstreamExchange {
  readonly done: Promise<UpstreamTrouble | 'cut' | undefined>
  readonly #response: ServerResponse
  readonly #onAnswer: (() => void) | undefined
  #settle: (outcome: UpstreamTrouble | 'cut' | undefined) => void = () => undefined
  #controller: Dispatcher.DispatchController | undefined
  #head: { readonly status: number; readonly text: string; readonly fields: string[] } | undefined
  /** A small first piece of the content, kept to the end of the turn: usually it is all. One character for each byte. */
  #piece: string | undefined
  #isFirst = true
  #passes = false
  #started = false
  #ended = false
  #isCut = false

  constructor(response: ServerResponse, onAnswer: (() => void) | undefined) {
    this.#response = response
    this.#onAnswer = onAnswer
    this.done = new Promise((resolve) => {
      this.#settle = resolve
    })
    // A client that goes away must not keep the upstream busy.
    response.once('close', () => {
      if (!response.writableFinished) this.cut()
    })
  }

  pass(): void {
    this.#passes = true
    if (this.#head !== undefined) this.#start()
  }

  cut(): void {
    if (this.#isCut || this.#ended) return
    this.#isCut = true
    this.#controller?.abort(new Error('broken off'))
    this.#settle('cut')
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isCut) controller.abort(new Error('broken off'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    text?: string,
  ): void {
    // Interim answers are between the upstream and this hop.
    if (status < 200) return
    this.#head = { status, text: text ?? '', fields: clientFields(latin1Fields(controller.rawHeaders)) }
    this.#onAnswer?.()
    if (this.#passes) this.#start()
    else controller.pause()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isCut) return
    if (this.#isFirst && chunk.length <= oneStringBytes) {
      this.#isFirst = false
      this.#piece = chunk.toString('latin1')
      atTurnEnd(() => this.#flush())
      return
    }
    this.#isFirst = false
    this.#flush()
    if (!this.#response.write(chunk)) {
      controller.pause()
      this.#response.once('drain', () => controller.resume())
    }
  }

  onResponseEnd(): void {
    this.#ended = true
    if (this.#started) this.#finish()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  fail(cause: unknown): void {
    if (this.#isCut || this.#ended) return
    this.#flush()
    this.#ended = true
    this.#settle(troubleOf(cause))
  }

  #start(): void {
    const head = this.#head
    if (head === undefined || this.#started || this.#isCut) return
    this.#started = true
    try {
      this.#response.writeHead(head.status, head.text, head.fields)
    } catch {
      // A status or a field that HTTP does not know; the answer cannot be passed on as it is.
      this.#controller?.abort(new Error('unusable answer'))
      this.#isCut = true
      this.#settle('upstream-broken')
      return
    }
    this.#flush()
    if (this.#ended) this.#finish()
    else this.#controller?.resume()
  }

  #finish(): void {
    if (this.#piece === undefined && !this.#response.writableEnded) this.#response.end()
    this.#settle(undefined)
  }

  /** Passes the first piece on; with the end, where that is known by now. */
  #flush(): void {
    const piece = this.#piece
    // Ahead of the head of the answer it would go out under a head that Node makes up.
    if (piece === undefined || this.#isCut || !this.#started) return
    this.#piece = undefined
    if (this.#response.destroyed) return
    if (this.#ended) this.#response.end(piece, 'latin1')
    else this.#response.write(piece, 'latin1')
  }
}

/** Connects with the name of the upstream as that of its certificate: left alone, undici would take the client's Host for it. */
function connectorTo(hostname: string, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false })
  const servername = isIP(hostname) === 0 ? hostname : ''
  return (options, callback) => connect({ ...options, servername }, callback)
}

/** Writes the raw fields of an answer as text, each byte a character. */
function latin1Fields(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  const fields: string[] = []
  if (!Array.isArray(raw)) return fields
  for (const part of raw) fields.push(typeof part === 'string' ? part : part.toString('latin1'))
  return fields
}

function troubleOf(cause: unknown): UpstreamTrouble {
  if (cause instanceof errors.ConnectTimeoutError) return 'upstream-slow'
  if (cause instanceof errors.HeadersTimeoutError || cause instanceof errors.BodyTimeoutError)
    return 'upstream-slow'
  if (cause instanceof errors.InvalidArgumentError || cause instanceof errors.NotSupportedError)
    return 'fields-refused'
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const isUnreachable =
    code === 'ECONNREFUSED' ||
    code === 'ENOTFOUND' ||
    code === 'EAI_AGAIN' ||
    code === 'EHOSTUNREACH' ||
    code === 'ENETUNREACH'
  return isUnreachable ? 'upstream-unreachable' : 'upstream-broken'
}
