import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CountersignError } from 'countersign'
import { rawAnswer } from './answer.ts'
import type { AnswerCode } from './answers.ts'
import type { GatewayConfig } from './config/schema.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import type { GatewayLog } from './log.ts'
import type { BodyTrouble } from './spool.ts'

/** What a front is made from. */
export interface FrontOptions {
  readonly config: GatewayConfig
  readonly log: GatewayLog
  /** Answers one request; never rejects. */
  readonly handle: (exchange: Exchange) => Promise<void>
  /** Answers one request that came after the front began to close. */
  readonly refuse: (exchange: Exchange, code: AnswerCode) => void
}

/** Where a front listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

// How long a connection that has not yet asked for anything may still do so once the front closes, in milliseconds.
const lastCallMs = 100

/** The listening side: connections, their limits and timeouts, and an orderly end. */
export class Front {
  readonly #options: FrontOptions
  readonly #server: Server
  readonly #connections = new Map<Duplex, Set<Exchange>>()
  #inFlight = 0
  #draining = false
  #onIdle: (() => void) | undefined

  constructor(options: FrontOptions) {
    this.#options = options
    const { timeouts, limits } = options.config
    this.#server = createServer({
      // Above the limit of ours, so that what is only a little too long gets the status that fits.
      maxHeaderSize: 2 * limits.fieldBytes + limits.targetBytes,
      headersTimeout: timeouts.headersSeconds * 1000,
      requestTimeout: timeouts.requestSeconds * 1000,
      keepAliveTimeout: timeouts.keepAliveSeconds * 1000,
      // The default of 30 s would let slow senders live that much longer than the timeouts say.
      connectionsCheckingInterval: 1000,
      insecureHTTPParser: false,
      // A missing Host gets a verdict like everything else.
      requireHostHeader: false,
    })
    // Any other number makes Node 20 drop field lines silently; they are counted before a request is looked at.
    this.#server.maxHeadersCount = 0
    this.#server.maxRequestsPerSocket = limits.requestsPerConnection
    // A client that stops reading its answer does not hold the upstream for ever.
    this.#server.timeout = 2000 * Math.max(timeouts.requestSeconds, timeouts.upstreamResponseSeconds)
    this.#server.on('connection', (socket) => this.#watch(socket))
    this.#server.on('request', (request, response) => this.#take(request, response, false))
    this.#server.on('checkContinue', (request, response) => this.#take(request, response, true))
    this.#server.on('checkExpectation', (request, response) => this.#unexpected(request, response))
    this.#server.on('upgrade', (_request, socket) => this.#reject(socket, 'upgrade-refused'))
    this.#server.on('connect', (_request, socket) => this.#reject(socket, 'method-refused'))
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket))
    this.#server.on('dropRequest', (_request, socket) => socket.destroy())
  }

  /**
   * Starts to listen.
   * @throws CountersignError `config-invalid` where the address cannot be had.
   */
  listen(): Promise<Address> {
    const { host, port } = this.#options.config.listen
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'it is in use' : (cause.code ?? cause.message)
        reject(
          new CountersignError('config-invalid', `cannot listen on ${host} port ${port}: ${why}`, { cause }),
        )
      })
      this.#server.listen({ host, port }, () => {
        const address: AddressInfo | string | null = this.#server.address()
        if (typeof address === 'object' && address !== null)
          resolve({ host: address.address, port: address.port })
      })
    })
  }

  /** Whether no new requests are taken any more. */
  get draining(): boolean {
    return this.#draining
  }

  /** Ends in order: no new connections or requests; what is in flight may finish, for as long as the configuration says. */
  async close(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const exchanges of this.#connections.values()) {
      for (const exchange of exchanges) exchange.response.shouldKeepAlive = false
    }
    await new Promise((resolve) => setTimeout(resolve, lastCallMs))
    for (const [socket, exchanges] of this.#connections) if (exchanges.size === 0) socket.destroy()
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#options.config.timeouts.drainSeconds * 1000)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    // An answer that is complete may still be in a buffer; what is not finished by now is cut off.
    for (const [socket, exchanges] of this.#connections) {
      if (exchanges.size > 0) socket.destroy()
      else if ('destroySoon' in socket && typeof socket.destroySoon === 'function') socket.destroySoon()
    }
    await closed
  }

  #watch(socket: Socket): void {
    this.#connections.set(socket, new Set())
    socket.once('close', () => this.#connections.delete(socket))
  }

  #take(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const exchange = exchangeOf(request, response, awaitsContinue)
    const exchanges = this.#connections.get(request.socket)
    exchanges?.add(exchange)
    this.#inFlight++
    response.once('close', () => {
      exchanges?.delete(exchange)
      this.#inFlight--
      if (this.#inFlight === 0) this.#onIdle?.()
    })
    // Without a listener a connection that breaks would end the process.
    response.on('error', () => undefined)
    if (this.#draining) {
      response.shouldKeepAlive = false
      this.#options.refuse(exchange, 'draining')
    } else if (this.#inFlight > this.#options.config.limits.inFlight) {
      this.#options.refuse(exchange, 'overloaded')
    } else void this.#options.handle(exchange)
  }

  #unexpected(request: IncomingMessage, response: ServerResponse): void {
    this.#options.log.info({ code: 'expectation-refused' }, 'refused')
    response.on('error', () => undefined)
    this.#options.refuse(exchangeOf(request, response, false), 'expectation-refused')
  }

  #reject(socket: Duplex, code: AnswerCode): void {
    // The server has let go of this socket: a reset that nobody listens for would end the process.
    socket.on('error', () => undefined)
    this.#options.log.info({ code }, 'refused')
    if (this.#pendingOf(socket).length > 0) socket.destroy()
    else socket.end(rawAnswer(code), () => socket.destroy())
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const pending = this.#pendingOf(socket)
    const isSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    if (pending.length > 0) {
      for (const exchange of pending) this.#breakOff(exchange, isSlow ? 'slow' : 'malformed')
      return
    }
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const code = isSlow
      ? 'headers-slow'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? 'fields-too-large'
        : 'request-malformed'
    this.#options.log.info({ code, parser: error.code }, 'refused')
    socket.end(rawAnswer(code), () => socket.destroy())
  }

  /** The parser has given up on this connection: whoever waits for content is told, and nothing follows the last answer. */
  #breakOff(exchange: Exchange, trouble: BodyTrouble): void {
    const { request, response } = exchange
    response.shouldKeepAlive = false
    // An answer in front of content that has not come is one of the gateway's own, and lingers: it is whole, and ends here.
    if (response.headersSent && !request.complete) response.end()
    else if (exchange.body !== undefined) exchange.body.abort(trouble)
    else if (request.complete && response.headersSent)
      response.once('finish', () => request.socket.destroySoon())
  }

  #pendingOf(socket: Duplex): readonly Exchange[] {
    return [...(this.#connections.get(socket) ?? [])]
  }
}
