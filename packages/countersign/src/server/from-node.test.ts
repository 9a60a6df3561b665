import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerOptions } from 'node:http'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2ServerRequest,
} from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { Body } from '../message/body.ts'
import { type ConnectionOptions, connectionRules, type NodeRequest, nodeRequest } from './from-node.ts'

interface Setting<T> {
  readonly read: (req: IncomingMessage) => T | Promise<T>
  readonly server?: ServerOptions
  readonly maxHeadersCount?: number
  /** Path of a Unix socket to listen on. Default: a free port. */
  readonly path?: string
}

/** Sends bytes to a real server and gives what is made of the request. */
async function served<T>(wire: string, setting: Setting<T>): Promise<T> {
  const server = createServer(setting.server ?? {})
  if (setting.maxHeadersCount !== undefined) server.maxHeadersCount = setting.maxHeadersCount
  const found = new Promise<T>((resolve, reject) => {
    server.on('request', (req: IncomingMessage, res) => {
      new Promise<T>((done) => done(setting.read(req))).finally(() => res.end()).then(resolve, reject)
    })
    server.on('clientError', reject)
  })
  server.listen(setting.path ?? 0)
  await once(server, 'listening')
  const address = server.address()
  const socket = connect(typeof address === 'object' ? { port: address?.port ?? 0 } : { path: address })
  socket.write(wire, 'latin1')
  try {
    return await found
  } finally {
    socket.destroy()
    server.closeAllConnections()
    server.close()
  }
}

const read =
  (options?: ConnectionOptions) =>
  (req: NodeRequest): ReturnType<typeof nodeRequest> =>
    nodeRequest(req, connectionRules(options))

const get = (...lines: readonly string[]): string =>
  `GET /a HTTP/1.1\r\n${['Host: a.test', ...lines].join('\r\n')}\r\n\r\n`
const noise = (lines: number): readonly string[] => Array.from({ length: lines }, (_, i) => `x${i}: 1`)

async function text(body: Body): Promise<string> {
  const bytes = body === undefined || body instanceof Uint8Array ? body : await body.bytes(1000)
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : 'none'
}

describe('nodeRequest', () => {
  it('keeps method, target and field lines as they were sent', async () => {
    const wire =
      'DELETE //x/%7e?a=+&a HTTP/1.1\r\nhOsT: A.test:80\r\nX: 1\r\nx:  2 \r\n__proto__: caf\u00e9\r\n\r\n'
    const message = await served(wire, { read: read() })
    expect(message).toMatchObject({
      kind: 'request',
      method: 'DELETE',
      target: '//x/%7e?a=+&a',
      scheme: 'http',
      authority: 'A.test:80',
      fields: ['hOsT', 'A.test:80', 'X', '1', 'x', '2', '__proto__', 'caf\u00e9'],
      body: undefined,
      trailers: undefined,
      problem: undefined,
    })
  })

  it('goes by the original target where a framework took a mount point off', async () => {
    const message = await served(get(), {
      read: (req) => nodeRequest(Object.assign(req, { originalUrl: '/mount/a' })),
    })
    expect(message.target).toBe('/mount/a')
  })

  it('reads content from the framing', async () => {
    const framed = async (...lines: readonly string[]): Promise<boolean> =>
      (await served(get(...lines), { read: read() })).body !== undefined
    expect(await framed()).toBe(false)
    expect(await framed('Content-Length: 0')).toBe(false)
    expect(await framed('Content-Length: 000')).toBe(false)
    expect(await framed('Content-Length: 3')).toBe(true)
    expect(await framed('Transfer-Encoding: chunked')).toBe(true)
  })

  it('shares the body between two readings of one request', async () => {
    const both = await served(`${get('Content-Length: 3')}abc`, {
      read: async (req) => {
        const first = await text(nodeRequest(req).body)
        return [first, await text(nodeRequest(req).body)]
      },
    })
    expect(both).toEqual(['abc', 'abc'])
  })

  it('throws where something has read or parsed the body before', async () => {
    const wire = `${get('Content-Length: 3')}abc`
    const spoilers: readonly ((req: IncomingMessage) => unknown)[] = [
      (req) => once(req.resume(), 'end'),
      async (req) => {
        await once(req, 'readable')
        req.read(1)
      },
      (req) => Object.assign(req, { body: {} }),
    ]
    for (const spoil of spoilers) {
      const reading = served(wire, {
        read: async (req) => {
          await spoil(req)
          nodeRequest(req, connectionRules({}, 'put it first'))
        },
      })
      await expect(reading).rejects.toMatchObject({
        code: 'body-already-read',
        message: expect.stringContaining('put it first'),
      })
    }
  })

  it('takes up to 128 header lines, or as many as it is told', async () => {
    const problem = async (lines: number, maxFields?: number): Promise<boolean> => {
      const options = maxFields === undefined ? {} : { maxFields }
      return (await served(get(...noise(lines - 1)), { read: read(options) })).problem !== undefined
    }
    expect(await problem(128)).toBe(false)
    expect(await problem(129)).toBe(true)
    expect(await problem(256, 256)).toBe(false)
    expect(await problem(3, 2)).toBe(true)
  })

  it('refuses as many lines as a server lets through that cuts them off in silence', async () => {
    const problem = (
      lines: number,
      limits: { maxHeadersCount?: number; maxFields?: number },
    ): Promise<unknown> =>
      served(get(...noise(lines - 1)), {
        read: read({ maxFields: limits.maxFields ?? 128 }),
        ...limits,
      }).then(
        (message) => message.problem,
        (error: Error) => error.message,
      )
    for (const lines of [40, 50, 62, 100]) {
      // Node 22 and later refuse by themselves what Node 20 cuts off.
      expect(await problem(lines, { maxHeadersCount: 40 })).toMatch(/maxHeadersCount|Header overflow/)
    }
    expect(await problem(39, { maxHeadersCount: 40 })).toBeUndefined()
    for (const lines of [1000, 1010, 1100]) expect(await problem(lines, { maxFields: 256 })).toBeDefined()
  })

  it('refuses both framings where a lenient server lets them through', async () => {
    const wire = `${get('Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`
    const message = await served(wire, { read: read(), server: { insecureHTTPParser: true } })
    expect(message.problem).toBe('the request has both Content-Length and Transfer-Encoding')
    expect(message.body).toBeUndefined()
  })

  it('leaves out trailers', async () => {
    const wire = `${get('Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n`
    const message = await served(wire, { read: read() })
    expect([message.trailers, message.fields.includes('X-Late')]).toEqual([undefined, false])
  })

  it('knows TLS by its socket', async () => {
    const psk = { psk: Buffer.from('key of this test'), identity: 'test' }
    const tls = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const
    const server = createHttpsServer({ ...tls, pskCallback: () => psk.psk })
    const found = new Promise<string>((resolve) => {
      server.on('request', (req, res) => {
        res.end()
        resolve(nodeRequest(req).scheme)
      })
    })
    server.listen(0)
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const socket = connectTls({
      port: port ?? 0,
      ...tls,
      pskCallback: () => psk,
      checkServerIdentity: () => undefined,
    })
    socket.write(get())
    expect(await found).toBe('https')
    socket.destroy()
    server.closeAllConnections()
    server.close()
  })

  it('believes a trusted hop, and no other peer, about host and scheme', async () => {
    const wire = get('X-Forwarded-Host: public.test', 'X-Forwarded-Proto: https')
    const from = async (trustProxy: readonly string[]): Promise<string> => {
      const { scheme, authority, problem } = await served(wire, { read: read({ trustProxy }) })
      return problem ?? `${scheme}://${authority}`
    }
    expect(await from([])).toBe('http://a.test')
    expect(await from(['192.0.2.1'])).toBe('http://a.test')
    expect(await from(['127.0.0.0/8', '::1'])).toBe('https://public.test')
    const twice = get('X-Forwarded-Host: a.test, b.test')
    expect((await served(twice, { read: read({ trustProxy: ['127.0.0.1', '::1'] }) })).problem).toContain(
      'more than one',
    )
  })

  it('believes a peer on a Unix socket where it is told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
    const path = join(folder, 'socket')
    try {
      const setting = { read: read({ trustProxy: ['unix'] }), path }
      expect((await served(get('Forwarded: host=public.test;proto=https'), setting)).authority).toBe(
        'public.test',
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('connectionRules', () => {
  it('refuses options that cannot work', () => {
    const wrong: readonly ConnectionOptions[] = [
      { maxFields: 0 },
      { maxFields: 257 },
      { maxFields: 1.5 },
      { bodyTimeoutMs: 0 },
      { bodyTimeoutMs: Number.NaN },
      { trustProxy: ['everyone'] },
    ]
    for (const options of wrong) {
      expect(() => connectionRules(options)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    }
  })
})

describe('nodeRequest over HTTP/2', () => {
  async function overHttp2<T>(
    headers: Readonly<Record<string, string>>,
    body: readonly string[] | undefined,
    read: (req: Http2ServerRequest) => T | Promise<T>,
  ): Promise<T> {
    const server = createHttp2Server()
    const found = new Promise<T>((resolve, reject) => {
      server.on('request', (req, res) => {
        new Promise<T>((done) => done(read(req))).finally(() => res.end()).then(resolve, reject)
      })
    })
    server.listen(0)
    await once(server, 'listening')
    const address = server.address()
    const client = connectHttp2(`http://localhost:${typeof address === 'object' ? address?.port : 0}`)
    const stream = client.request(headers, { endStream: body === undefined })
    for (const part of body ?? []) {
      stream.write(part)
      await new Promise((resolve) => setImmediate(resolve))
    }
    stream.end()
    try {
      return await found
    } finally {
      client.destroy()
      server.close()
    }
  }

  it('takes the authority from :authority and leaves pseudo fields out', async () => {
    const headers = { ':path': '/a?b', ':authority': 'A.test', 'x-note': '1' }
    const message = await overHttp2(headers, undefined, (req) => nodeRequest(req))
    expect(message).toMatchObject({ method: 'GET', target: '/a?b', authority: 'A.test', body: undefined })
    expect(message.fields.filter((part) => part.startsWith(':'))).toEqual([])
    expect(message.problem).toBeUndefined()
  })

  it('refuses a Host that disagrees with :authority', async () => {
    const headers = { ':path': '/a', ':authority': 'a.test', host: 'evil.test' }
    expect((await overHttp2(headers, undefined, (req) => nodeRequest(req))).problem).toBe(
      ':authority and Host disagree',
    )
  })

  it('reads a body and leaves it to the reader behind', async () => {
    for (const parts of [[], ['abc'], ['ab', 'c'], ['a'.repeat(200_000), 'b']]) {
      const headers = { ':method': 'POST', ':path': '/a' }
      const seen = await overHttp2(headers, parts, async (req) => {
        const { body } = nodeRequest(req)
        const bytes = body === undefined || body instanceof Uint8Array ? body : await body.bytes(1_000_000)
        const chunks: Buffer[] = []
        for await (const chunk of req) chunks.push(chunk)
        return [
          bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : bytes,
          Buffer.concat(chunks).toString(),
        ]
      })
      expect(seen).toEqual([parts.join(''), parts.join('')])
    }
  })
})
