import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ContractRoute,
  type RawConnection,
  type RouteGuard,
  type RunningServer,
  serverContract,
} from '../testing/contracts/server.ts'
import type { Verified } from '../verifier/verdict.ts'
import * as expressDoor from './express.ts'
import * as fastifyDoor from './fastify.ts'
import { guardServer, readListener, serverOptions, verifiedListener } from './node-http.ts'

const parserLimitBytes = 3_000_000

describe('node:http', () => contract({ makeServer: nodeServer, holdsContinue: true }))
describe('Express', () =>
  contract({ makeServer: (routes) => listening(createServer(expressApp(routes))), holdsContinue: false }))
describe('Express on a guarded server', () =>
  contract({
    makeServer: (routes) => guarded(createServer(serverOptions, expressApp(routes))),
    holdsContinue: true,
  }))
describe('Fastify', () =>
  contract({ makeServer: (routes) => fastifyServer(routes, () => undefined), holdsContinue: false }))
describe('Fastify on a guarded server', () =>
  contract({ makeServer: (routes) => fastifyServer(routes, guardServer), holdsContinue: true }))

function contract(input: Parameters<typeof serverContract>[0]): void {
  const warnings: Error[] = []
  const note = (warning: Error): void => {
    if (!warning.message.startsWith('the verification failed')) warnings.push(warning)
  }
  beforeAll(() => {
    process.on('warning', note)
  })
  afterAll(() => {
    process.off('warning', note)
    // A listener left behind on a connection shows as a MaxListenersExceededWarning after ten requests.
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
  })
  for (const { name, run } of serverContract(input)) it(name, run)
}

function nodeServer(routes: readonly ContractRoute[]): Promise<RunningServer> {
  const serve = routes.map((route) => ({ route, listener: nodeListener(route) }))
  return guarded(
    createServer(serverOptions, (req, res) => {
      const path = (req.url ?? '').split('?')[0]
      const found = serve.find(({ route }) => (route.mount ?? '') + route.path === path) ?? serve.at(-1)
      found?.listener(req, res)
    }),
  )
}

type Listener = (
  req: IncomingMessage & { signature?: Verified | undefined; body?: unknown },
  res: ServerResponse,
) => void

function nodeListener(route: ContractRoute): Listener {
  const parse = async (req: Parameters<Listener>[0]): Promise<void> => {
    const chunks: Buffer[] = []
    if (route.parser !== 'none') for await (const chunk of req) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    if (req.headers['content-length'] === undefined && req.headers['transfer-encoding'] === undefined) return
    if (route.parser === 'json') req.body = JSON.parse(bytes.toString())
    if (route.parser === 'form') req.body = Object.fromEntries(new URLSearchParams(bytes.toString()))
    if (route.parser === 'raw') req.body = bytes
  }
  const answer: Listener = (req, res) => {
    res.end(route.handle({ signature: req.signature, body: req.body }))
  }
  const parsed =
    (next: Listener): Listener =>
    (req, res) => {
      parse(req).then(
        () => next(req, res),
        () => res.destroy(),
      )
    }
  const [inner, ...outer] = [...route.guards].reverse()
  let listener = route.parserStands === 'behind' ? parsed(answer) : answer
  if (inner !== undefined) listener = nodeGuarded(inner, listener)
  if (route.parserStands === 'between') listener = parsed(listener)
  for (const guard of outer) listener = nodeGuarded(guard, listener)
  return route.parserStands === 'before' ? parsed(listener) : listener
}

function nodeGuarded({ kind, verifier, options }: RouteGuard, listener: Listener): Listener {
  const onError = (): void => undefined
  return kind === 'require'
    ? verifiedListener(verifier, { ...options, onError }, listener)
    : readListener(verifier, { ...options, onError }, listener)
}

function expressApp(routes: readonly ContractRoute[]): express.Express {
  const parsers = {
    none: [],
    json: [express.json({ limit: parserLimitBytes })],
    form: [express.urlencoded({ limit: parserLimitBytes })],
    raw: [express.raw({ limit: parserLimitBytes, type: () => true })],
  }
  const app = express()
  for (const route of routes) {
    const guards = route.guards.map(({ kind, verifier, options }) =>
      kind === 'require'
        ? expressDoor.requireSignature(verifier, options)
        : expressDoor.readSignature(verifier, options),
    )
    const parser = parsers[route.parser]
    const at = { before: 0, between: 1, behind: guards.length }[route.parserStands]
    const chain: express.RequestHandler[] = [...guards.slice(0, at), ...parser, ...guards.slice(at)]
    const handler: express.RequestHandler = (req, res) => {
      res.end(route.handle({ signature: expressDoor.signatureOf(req), body: req.body }))
    }
    if (route.mount === undefined) app.all(route.path.replace('*', '{*rest}'), ...chain, handler)
    else app.use(route.mount, express.Router().all(route.path, ...chain, handler))
  }
  app.use((_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.status(500).end('failed')
  })
  return app
}

async function fastifyServer(
  routes: readonly ContractRoute[],
  prepare: (server: Server) => void,
): Promise<RunningServer> {
  const app = Fastify({ bodyLimit: parserLimitBytes })
  await app.register(fastifyDoor.signatures)
  for (const route of routes) {
    await app.register(
      async (part) => {
        part.removeAllContentTypeParsers()
        if (route.parser === 'json') {
          part.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
            done(null, JSON.parse(String(body))),
          )
        } else if (route.parser === 'form') {
          part.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
            done(null, Object.fromEntries(new URLSearchParams(String(body)))),
          )
        } else if (route.parser === 'raw') {
          part.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
        } else {
          part.addContentTypeParser('*', (_request, _body, done) => done(null))
        }
        const hooks = route.guards.map(({ kind, verifier, options }) =>
          kind === 'require'
            ? fastifyDoor.requireSignature(verifier, options)
            : fastifyDoor.readSignature(verifier, options),
        )
        const at = { before: 0, between: 1, behind: hooks.length }[route.parserStands]
        part.all(
          route.path,
          { onRequest: hooks.slice(0, at), preHandler: hooks.slice(at) },
          async (request, reply) =>
            reply.send(route.handle({ signature: fastifyDoor.signatureOf(request), body: request.body })),
        )
      },
      route.mount === undefined ? {} : { prefix: route.mount },
    )
  }
  prepare(app.server)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return running(app.server, () => app.close())
}

function guarded(server: Server): Promise<RunningServer> {
  guardServer(server)
  return listening(server)
}

async function listening(server: Server): Promise<RunningServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return running(server, () => new Promise<void>((resolve) => server.close(() => resolve())))
}

function running(server: Server, close: () => Promise<unknown>): RunningServer {
  return {
    connect: async () => {
      const address = server.address()
      return rawConnection(typeof address === 'object' && address !== null ? address.port : 0)
    },
    close: async () => {
      server.closeAllConnections()
      await close()
    },
  }
}

async function rawConnection(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.setNoDelay(true)
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  // A reset by the server is one of the ways to close that the contract allows.
  socket.on('error', () => undefined)
  return {
    write: (bytes) => socket.write(bytes),
    async read() {
      for (;;) {
        const chunk: Uint8Array | null = socket.read()
        if (chunk !== null) return chunk
        if (socket.readableEnded || socket.destroyed) return undefined
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            for (const event of ['readable', 'end', 'close']) socket.removeListener(event, wake)
            resolve()
          }
          for (const event of ['readable', 'end', 'close']) socket.on(event, wake)
        })
      }
    },
    destroy: () => socket.destroy(),
  }
}
