import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { signedFetch } from '../client/fetch.ts'
import { requestMessage } from '../message/message.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import { createSigner } from '../signer/signer.ts'
import { memoryCredentials } from '../stores/memory.ts'
import { createVerifier, type Verifier } from '../verifier/verifier.ts'
import {
  guardServer,
  type ListenerOptions,
  readListener,
  serverOptions,
  verifiedListener,
} from './node-http.ts'

const credential = { id: 'caller', secret: 'secret of the caller of these tests' }
const verifier = createVerifier({ schemes: [rfc9421()], credentials: memoryCredentials([credential]) })
const signer = createSigner({ scheme: rfc9421(), credential })
const send = signedFetch(signer)

let close = (): void => undefined
afterEach(() => close())

async function listen(server: Server): Promise<number> {
  server.listen(0)
  await once(server, 'listening')
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function serve(listener: RequestListener): Promise<string> {
  return `http://localhost:${await listen(createServer(listener))}`
}

/** Sends text and gives all that comes until the server closes. */
async function exchange(port: number, text: string, then?: (socket: Socket) => unknown): Promise<string> {
  const socket = connect(port)
  socket.on('error', () => undefined)
  socket.write(text)
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
    then?.(socket)
  })
  await once(socket, 'close')
  return received
}

describe('verifiedListener and readListener', () => {
  it('give the handler the signature, typed', async () => {
    const origin = await serve(
      verifiedListener(verifier, {}, (req, res) => {
        const keyId: string = req.signature.credential.id
        res.end(`${keyId} ${req.headers.host}`)
      }),
    )
    expect(await (await send(origin)).text()).toBe(`caller ${origin.slice(7)}`)
    close()
    const reading = readListener(verifier, {}, (req, res) => {
      const keyId: string | undefined = req.signature?.credential.id
      res.end(keyId ?? 'nobody')
    })
    const other = await serve(reading)
    expect([await (await send(other)).text(), await (await fetch(other)).text()]).toEqual([
      'caller',
      'nobody',
    ])
  })

  it('leave a body that can be sent on', async () => {
    const upstream = createServer((req, res) => req.pipe(res)).listen(0)
    await once(upstream, 'listening')
    const address = upstream.address()
    const to = `http://localhost:${typeof address === 'object' ? address?.port : 0}`
    const origin = await serve(
      verifiedListener(verifier, {}, async (req, res) => {
        const body = Readable.toWeb(req) as ReadableStream // Node's type of the same class differs from that of the web
        const sent = await fetch(to, { method: 'POST', body, duplex: 'half' } as RequestInit) // `duplex` is missing in the type
        res.end(await sent.text())
      }),
    )
    expect(await (await send(origin, { method: 'POST', body: 'sent on' })).text()).toBe('sent on')
    upstream.closeAllConnections()
    upstream.close()
  })

  it('answer 500 and tell where a verification has no verdict', async () => {
    const told: string[] = []
    const failing = (thrown: unknown): Verifier => ({ ...verifier, verify: () => Promise.reject(thrown) })
    const options: ListenerOptions = { onError: (error) => told.push(error.message) }
    for (const thrown of [undefined, 'text', new Error('own')]) {
      const origin = await serve(verifiedListener(failing(thrown), options, (_req, res) => res.end('passed')))
      const response = await send(origin)
      expect([response.status, await response.json()]).toEqual([
        500,
        { title: 'Internal Server Error', status: 500 },
      ])
      close()
    }
    expect(told).toEqual([
      expect.stringContaining('not an Error'),
      expect.stringContaining('not an Error'),
      'own',
    ])
  })

  it('warn the process about a body that was read before, with the fix', async () => {
    const warned = once(process, 'warning')
    const guard = verifiedListener(verifier, {}, (_req, res) => res.end('passed'))
    const origin = await serve((req, res) => {
      req.resume().once('end', () => guard(req, res))
    })
    expect((await send(origin, { method: 'POST', body: 'x' })).status).toBe(500)
    const [warning] = await warned
    expect(warning).toMatchObject({ code: 'body-already-read', message: expect.stringContaining('before') })
  })

  it('serve HTTP/2', async () => {
    const guard = verifiedListener<Http2ServerRequest, Http2ServerResponse>(
      verifier,
      {},
      async (req, res) => {
        const chunks: Buffer[] = []
        for await (const chunk of req) chunks.push(chunk)
        res.end(`${req.signature.credential.id} sent ${Buffer.concat(chunks)}`)
      },
    )
    const server = createHttp2Server(guard).listen(0)
    await once(server, 'listening')
    const address = server.address()
    const origin = `http://localhost:${typeof address === 'object' ? address?.port : 0}`
    const client = connectHttp2(origin)
    close = () => {
      client.destroy()
      server.close()
    }
    const post = async (
      headers: Record<string, string>,
      body: string,
    ): Promise<[status: unknown, text: string]> => {
      const stream = client.request({ ':method': 'POST', ':path': '/a', ...headers })
      stream.end(body)
      const [head] = await once(stream, 'response')
      let text = ''
      for await (const chunk of stream) text += chunk
      return [head[':status'], text]
    }
    const message = requestMessage({ method: 'POST', url: `${origin}/a`, body: 'this' })
    const { set } = await signer.sign(message)
    const headers = Object.fromEntries(set.map(([name, value]) => [name.toLowerCase(), value]))
    expect(await post(headers, 'this')).toEqual([200, 'caller sent this'])
    expect((await post(headers, 'that'))[0]).toBe(401)
    expect((await post({}, 'x'.repeat(200_000)))[0]).toBe(401)
    expect(await post(headers, 'this')).toEqual([200, 'caller sent this'])
  })
})

describe('guardServer', () => {
  const wait = (
    listener: RequestListener,
    options: typeof serverOptions | Record<string, number>,
  ): Promise<number> => {
    const server = createServer(options, listener)
    guardServer(server)
    return listen(server)
  }
  const passing = verifiedListener(verifier, {}, (_req, res) => res.end('passed'))

  it('lets every header line through to the guard, which counts them', async () => {
    const server = createServer(serverOptions, passing)
    guardServer(server)
    expect(server.maxHeadersCount).toBe(0)
    const seen = once(server, 'request')
    const port = await listen(server)
    const lines = Array.from({ length: 1500 }, (_, i) => `a${i}: 1`).join('\r\n')
    const answer = await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\nConnection: close\r\n\r\n`)
    const [req] = await seen
    expect([req.rawHeaders.length, answer.slice(0, 12)]).toEqual([3004, 'HTTP/1.1 400'])
  })

  it('closes on header fields and bodies that do not come in time', async () => {
    const port = await wait(passing, {
      headersTimeout: 100,
      requestTimeout: 200,
      connectionsCheckingInterval: 20,
    })
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost')).toMatch(/^HTTP\/1\.1 408/)
    expect(serverOptions.connectionsCheckingInterval).toBe(1000)
  })

  it('refuses upgrades and tunnels, whoever else listens for them', async () => {
    const server = createServer(serverOptions, passing)
    guardServer(server)
    const port = await listen(server)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
    expect(await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`)).toMatch(/^HTTP\/1\.1 405/)
    expect(await exchange(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')).toMatch(/^HTTP\/1\.1 405/)
  })

  it('survives a client that resets while its upgrade is refused', async () => {
    const port = await wait(passing, serverOptions)
    for (let i = 0; i < 20; i++) {
      const socket = connect(port)
      await once(socket, 'connect')
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
      socket.resetAndDestroy()
      await once(socket, 'close')
    }
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 401/,
    )
  })

  it('leaves upgrades to listeners that verify them, where told so', async () => {
    const server = createServer(passing)
    guardServer(server, { upgrades: 'leave' })
    server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 101 Own\r\n\r\n'))
    const port = await listen(server)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
    expect(await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`)).toMatch(/^HTTP\/1\.1 101 Own/)
  })

  it('asks at once for the body of a request that no guard claims', async () => {
    const port = await wait((req, res) => {
      req.resume().once('end', () => res.end('unguarded'))
    }, serverOptions)
    const wire =
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
    const answer = await exchange(port, wire, (socket) => socket.writable && socket.write('x'))
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/)
  })

  it('asks for a body that no signature covers, for the handler', async () => {
    const loose = { covers: [], digest: 'if-covered' } as const
    const guard = verifiedListener(verifier, { policy: loose }, (req, res) => {
      req.resume().once('end', () => res.end('passed'))
    })
    const port = await wait(guard, serverOptions)
    const scheme = rfc9421({ covers: ['@method'] })
    const message = requestMessage({ method: 'POST', url: '/', headers: { Host: 'a' } })
    const { set } = await createSigner({ scheme, credential }).sign(message)
    const lines = set.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const framing = 'Content-Length: 1\r\nExpect: 100-continue\r\nConnection: close\r\n'
    const wire = `POST / HTTP/1.1\r\nHost: a\r\n${framing}${lines}\r\n`
    const answer = await exchange(port, wire, (socket) => socket.writable && socket.write('x'))
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/)
  })
})
