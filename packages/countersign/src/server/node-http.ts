import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Verified } from '../verifier/verdict.ts'
import type { Verifier } from '../verifier/verifier.ts'
import { holdContinue, isContinueClaimed, type NodeRequest, sendContinue } from './from-node.ts'
import { errorFrom, warningField } from './guard.ts'
import { type NodeResponse, sendAnswer } from './node-answer.ts'
import { type NodeGuardOptions, nodeGuard } from './node-guard.ts'
import type { Answer } from './respond.ts'

/** What the listeners of this door take. */
export interface ListenerOptions extends NodeGuardOptions {
  /**
   * Told what kept a verification from ending in a verdict, a body that was read before above all; the client is answered
   * 500. Default: a warning of the process.
   */
  readonly onError?: (error: Error) => void
}

/** A request with its proven signature; `undefined` all the same in the modes that let pass what is refused. */
export type SignedRequest<Q> = Q & { signature: Verified }

/** A request with its proven signature, if its caller has one. */
export type MaybeSignedRequest<Q> = Q & { signature: Verified | undefined }

/** Limits for `createServer(serverOptions, listener)`: header fields within 10 s, a request within 30 s, looked after every second. */
export const serverOptions: {
  readonly headersTimeout: number
  readonly requestTimeout: number
  readonly keepAliveTimeout: number
  readonly connectionsCheckingInterval: number
} = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  // Node looks for late requests every 30 s by default, which makes of a limit of 2 s one of 30 s.
  connectionsCheckingInterval: 1000,
}

/** What `guardServer` takes. */
export interface GuardServerOptions {
  /**
   * `Upgrade` and `CONNECT` requests never reach a request listener, so no guard sees them. Default `refuse` (405, closed);
   * `leave` where listeners of your own verify them.
   */
  readonly upgrades?: 'refuse' | 'leave'
}

/**
 * Gives a request listener that runs the handler only for an acceptable signature, which is then `req.signature`.
 * The handler reads the body as if nobody had (but `fetch` takes such a request as `Readable.toWeb(req)` only). Works for
 * `node:http`, `node:https` and HTTP/2's compatible requests.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function verifiedListener<
  Q extends NodeRequest = IncomingMessage,
  S extends NodeResponse = ServerResponse,
>(
  verifier: Verifier,
  options: ListenerOptions,
  handler: (req: SignedRequest<Q>, res: S) => unknown,
): (req: Q, res: S) => void {
  return listener<Q, S>(verifier, options, true, (req, res) => {
    return handler(req as SignedRequest<Q>, res) // set, but in the modes that SignedRequest names
  })
}

/**
 * Gives a request listener that lets anonymous requests pass too: `req.signature` is then `undefined`.
 * A signature that is there and not acceptable is refused, never taken for anonymous.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function readListener<
  Q extends NodeRequest = IncomingMessage,
  S extends NodeResponse = ServerResponse,
>(
  verifier: Verifier,
  options: ListenerOptions,
  handler: (req: MaybeSignedRequest<Q>, res: S) => unknown,
): (req: Q, res: S) => void {
  return listener<Q, S>(verifier, options, false, (req, res) => {
    return handler(req as MaybeSignedRequest<Q>, res) // set, at least to `undefined`
  })
}

/**
 * Closes what a server leaves open around its request listener: takes header lines without the silent cut at 1000
 * (`maxHeadersCount = 0`; the guard counts them), refuses `Upgrade` and `CONNECT`, and sends `100 Continue` only once the
 * header fields have stood (without it Node sends it at once). Call it before `listen`; pass `serverOptions` to `createServer`.
 * Also for Express, `guardServer(createServer(serverOptions, app))`, and for Fastify, `guardServer(app.server)`.
 */
export function guardServer(server: Server, options: GuardServerOptions = {}): void {
  server.maxHeadersCount = 0
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    holdContinue(req, () => res.writeContinue())
    server.emit('request', req, res)
    if (!isContinueClaimed(req)) sendContinue(req)
  })
  if (options.upgrades === 'leave') return
  server.on('upgrade', refuseUpgrade)
  server.on('connect', refuseUpgrade)
}

const order = 'let nothing read the request before the listener that verifies it'
const failure: Answer = {
  status: 500,
  headers: [
    ['Content-Type', 'application/problem+json'],
    ['Cache-Control', 'no-store'],
  ],
  body: '{"title":"Internal Server Error","status":500}\n',
}

function listener<Q extends NodeRequest, S extends NodeResponse>(
  verifier: Verifier,
  options: ListenerOptions,
  needed: boolean,
  run: (req: Q, res: S) => unknown,
): (req: Q, res: S) => void {
  const judge = nodeGuard(verifier, options, { needed, order })
  const { onError = (error) => process.emitWarning(error) } = options
  const fail = (req: Q, res: S, thrown: unknown): void => {
    onError(errorFrom(thrown))
    sendAnswer(req, res, failure)
  }
  return (req, res) => {
    // What the handler throws is not caught: it does what it does in any request listener.
    void judge(req).then(
      (outcome) => {
        if (outcome.kind === 'passed') {
          if (outcome.warning !== undefined) res.setHeader(warningField, outcome.warning)
          const guarded: NodeRequest = req
          guarded.signature = outcome.signature
          return run(req, res)
        }
        try {
          sendAnswer(req, res, outcome.answer)
        } catch (thrown) {
          fail(req, res, thrown)
        }
        return undefined
      },
      (thrown: unknown) => fail(req, res, thrown),
    )
  }
}

function refuseUpgrade(_req: IncomingMessage, socket: Duplex): void {
  // Node leaves a socket it has handed over without listeners: a reset by the client must not end the process.
  socket.on('error', () => undefined)
  socket.end(
    'HTTP/1.1 405 Method Not Allowed\r\nAllow: \r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    () => socket.destroy(),
  )
}
