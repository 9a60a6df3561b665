import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import {
  Agent,
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { wireRequest } from '../message/message.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import { createSigner, type Signer } from '../signer/signer.ts'
import { createVerifier } from '../verifier/verifier.ts'
import { signedRequest } from './node-http.ts'

const credential = { id: 'test', secret: 'a secret of these tests, known to both' }
const verifier = createVerifier({ schemes: [rfc9421()], credentials: () => credential })
const signer = createSigner({ scheme: rfc9421(), credential })

interface Arrival {
  readonly line: string
  readonly fields: readonly string[]
  readonly body: string
  readonly verdict: string
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Verifies what arrives, writes it down and lets `answer` answer, by default with 200. */
async function serve(
  answer: Answer = (_, response) => response.end('answered'),
  host = '127.0.0.1',
  listenOn: (listener: RequestListener) => Server = createServer,
) {
  const arrivals: Arrival[] = []
  const server = listenOn(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url: target = '', rawHeaders: fields } = request
    const body = Buffer.concat(chunks)
    const scheme = 'encrypted' in request.socket ? 'https' : 'http'
    const verdict = await verifier.verify(wireRequest({ method, target, scheme, fields, body }))
    arrivals.push({
      line: `${method} ${target}`,
      fields,
      body: body.toString(),
      verdict: verdict.ok ? 'ok' : verdict.reason,
    })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  closers.push(() => server.close().closeAllConnections())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { authority: `${host.includes(':') ? `[${host}]` : host}:${port}`, port, arrivals }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )

describe('signedRequest', () => {
  it('sends the target as it stands in the URL, unlike the URL standard', async () => {
    const { authority, arrivals } = await serve()
    const targets = [
      '/a/../b/./c',
      '//evil/x',
      '/%7E%2e%2E/x',
      '/?',
      '/a?x=%7e|^{}`',
      '/a?b#fragment',
      '?q',
      '',
    ]
    for (const target of targets) (await signedRequest(signer, `HTTP://${authority}${target}`)).resume()
    expect(arrivals.map(({ line, verdict }) => `${line} ${verdict}`)).toEqual([
      'GET /a/../b/./c ok',
      'GET //evil/x ok',
      'GET /%7E%2e%2E/x ok',
      'GET /? ok',
      'GET /a?x=%7e|^{}` ok',
      'GET /a?b ok',
      'GET /?q ok',
      'GET / ok',
    ])
  })

  it('sends the fields in order and as spelled, repeated ones apart', async () => {
    const { authority, arrivals } = await serve()
    const headers: [string, string][] = [
      ['x-Two', 'b'],
      ['X-ONE', '1'],
      ['x-two', 'a'],
    ]
    const agent = new Agent({ keepAlive: false })
    ;(await signedRequest(signer, `http://${authority}/`, { method: 'POST', headers, agent }, 'abc')).resume()
    const { fields = [], verdict } = arrivals[0] ?? {}
    expect(verdict).toBe('ok')
    expect(fields.slice(0, 10)).toEqual(['Host', authority, ...headers.flat(), 'Content-Length', '3'])
    expect(fields.filter((_, i) => i % 2 === 0).slice(5)).toEqual([
      'Content-Digest',
      'Signature-Input',
      'Signature',
      'Connection',
    ])
  })

  it('signs the Host field that the caller gives, and connects to the URL', async () => {
    const { authority, arrivals } = await serve()
    const headers = { host: 'Virtual.example' }
    ;(await signedRequest(signer, `http://${authority}/`, { headers })).resume()
    expect(arrivals[0]).toMatchObject({ verdict: 'ok' })
    expect(arrivals[0]?.fields.slice(0, 2)).toEqual(['host', 'Virtual.example'])
  })

  it('reaches an IPv6 literal', async () => {
    const { authority, arrivals } = await serve(undefined, '::1')
    ;(await signedRequest(signer, `http://${authority}/`)).resume()
    expect(arrivals.map(({ verdict }) => verdict)).toEqual(['ok'])
  })

  it('signs for https what arrives over TLS', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'countersign-'))
    closers.push(() => rmSync(directory, { recursive: true }))
    const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const certify = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost
      -addext subjectAltName=DNS:localhost -keyout ${keyFile} -out ${certFile}`
    execFileSync('openssl', certify.split(/\s+/), { stdio: 'ignore' })
    const ca = readFileSync(certFile)
    const key = readFileSync(keyFile)
    const { port, arrivals } = await serve(undefined, 'localhost', (listener) =>
      createTlsServer({ key, cert: ca }, listener),
    )
    ;(await signedRequest(signer, `https://localhost:${port}/a?b`, { ca })).resume()
    expect(arrivals.map(({ line, verdict }) => `${line} ${verdict}`)).toEqual(['GET /a?b ok'])
    expect(await failure(signedRequest(signer, `https://localhost:${port}/`))).toBeInstanceOf(Error)
  })

  it('takes text, bytes and streams as body, with any method', async () => {
    const { authority, arrivals } = await serve()
    const bodies = ['t\u00e9xt', Buffer.from('bytes'), Readable.from(['a ', Buffer.from('stream')])]
    for (const body of bodies) {
      ;(await signedRequest(signer, `http://${authority}/`, { method: 'GET' }, body)).resume()
    }
    expect(arrivals.map(({ body, verdict }) => `${body} ${verdict}`)).toEqual([
      't\u00e9xt ok',
      'bytes ok',
      'a stream ok',
    ])
  })

  it('sends what was signed, whatever the caller does to the bytes meanwhile', async () => {
    const { authority, arrivals } = await serve()
    const body = Buffer.from('abc')
    const sent = signedRequest(signer, `http://${authority}/`, { method: 'POST' }, body)
    body.fill('x')
    ;(await sent).resume()
    expect(arrivals.map(({ body, verdict }) => `${body} ${verdict}`)).toEqual(['abc ok'])
  })

  it('frames requests without content as their method expects', async () => {
    const { authority, arrivals } = await serve()
    for (const method of ['GET', 'DELETE', 'POST', 'PATCH', 'PURGE']) {
      ;(await signedRequest(signer, `http://${authority}/`, { method })).resume()
    }
    const lengths = arrivals.map(({ fields }) => fields[fields.indexOf('Content-Length') + 1])
    expect(arrivals.map(({ fields }) => fields.includes('Content-Length'))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
    expect(lengths.slice(2)).toEqual(['0', '0', '0'])
    expect(arrivals.every(({ fields }) => !fields.includes('Transfer-Encoding'))).toBe(true)
    expect(arrivals.every(({ verdict }) => verdict === 'ok')).toBe(true)
  })

  it('refuses a stream over the limit, before anything is sent', async () => {
    const { authority, arrivals } = await serve()
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(100)
      })(),
    )
    const sent = signedRequest(signer, `http://${authority}/`, { method: 'POST', limitBytes: 1000 }, endless)
    expect(await failure(sent)).toMatchObject({ code: 'body-unavailable' })
    expect(endless.destroyed).toBe(true)
    expect(arrivals).toEqual([])
  })

  it('refuses what it could not send as signed', async () => {
    const { authority, arrivals } = await serve()
    const send = (url: string, headers?: Record<string, string>) =>
      failure(
        signedRequest(signer, url, { method: 'POST', ...(headers === undefined ? {} : { headers }) }, 'abc'),
      )
    const url = `http://${authority}/`
    for (const sent of [
      send(url, { 'Transfer-Encoding': 'chunked' }),
      send(url, { 'Content-Length': '4' }),
      send(url, { Host: 'two, hosts' }),
      send('/path'),
      send('ftp://x/'),
      send(`http://user:pass@${authority}/`),
      send(`${url}a b`),
      send(`${url}caf\u00e9`),
      send(`${url}\\x`),
    ]) {
      expect(await sent).toMatchObject({ code: 'config-invalid' })
    }
    expect(await send(url, { 'X-Line': 'a\r\nX-Injected: b' })).toMatchObject({ code: 'ERR_INVALID_CHAR' })
    expect(arrivals).toEqual([])
  })

  it('lets options of untyped callers change nothing that is signed', async () => {
    const { authority, arrivals } = await serve()
    const loose = {
      hostname: '203.0.113.1',
      port: 1,
      path: '/other',
      auth: 'a:b',
      setHost: false,
      timeout: 5000,
    }
    ;(await signedRequest(signer, `http://${authority}/a`, loose)).resume()
    expect(arrivals.map(({ line, verdict }) => `${line} ${verdict}`)).toEqual(['GET /a ok'])
    expect(arrivals[0]?.fields).not.toContain('Authorization')
  })

  it('gives redirects back unless it is told to follow them', async () => {
    const { authority, arrivals } = await serve((_, response) =>
      response.writeHead(302, { location: '/to' }).end(),
    )
    const response = await signedRequest(signer, `http://${authority}/`)
    response.resume()
    expect([response.statusCode, arrivals.length]).toEqual([302, 1])
  })

  it('follows to another origin only unsigned and without credentials', async () => {
    const other = await serve()
    const home = await serve((_, response) =>
      response.writeHead(307, { location: `http://${other.authority}/x` }).end(),
    )
    const headers = { Authorization: 'Bearer t', Cookie: 'a=b', 'X-Note': 'stays' }
    const options = { method: 'POST', headers, redirect: 'follow', crossOrigin: 'unsigned' } as const
    ;(await signedRequest(signer, `http://${home.authority}/`, options, 'abc')).resume()
    expect(home.arrivals.map(({ verdict }) => verdict)).toEqual(['ok'])
    expect(other.arrivals.map(({ body, verdict }) => `${body} ${verdict}`)).toEqual(['abc signature-absent'])
    const { fields = [] } = other.arrivals[0] ?? {}
    expect(fields).toContain('X-Note')
    expect(fields).toContain(other.authority)
    for (const name of ['Authorization', 'Cookie', 'Signature']) expect(fields).not.toContain(name)
  })

  it('appends query parameters that a scheme signs with', async () => {
    const { authority, arrivals } = await serve()
    const querySigner: Signer = { ...signer, sign: async () => ({ set: [], query: 'sig=1' }) }
    for (const target of ['/a', '/a?b=%7e']) {
      ;(await signedRequest(querySigner, `http://${authority}${target}`)).resume()
    }
    expect(arrivals.map(({ line }) => line)).toEqual(['GET /a?sig=1', 'GET /a?b=%7e&sig=1'])
  })

  it('fails with the error of the network, and on a timeout or an abort', async () => {
    const { authority } = await serve(() => {})
    const url = `http://${authority}/`
    expect(await failure(signedRequest(signer, 'http://127.0.0.1:1/'))).toMatchObject({
      code: 'ECONNREFUSED',
    })
    expect(await failure(signedRequest(signer, url, { timeout: 20 }))).toMatchObject({
      message: `no answer from ${authority} within the timeout`,
    })
    expect(await failure(signedRequest(signer, url, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    })
  })
})
