import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createSecure } from 'node:https'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Recorder, startRecorder } from './proving/recorder.ts'
import { requestBytes, signedRequest } from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes, type WireAnswer } from './proving/wire.ts'

/** Takes the framing off content that came in chunks. */
function withoutChunks(body: string): string {
  let content = ''
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.slice(at, end), 16)
    if (!(size > 0)) return content
    content += body.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}

describe('connections to an upstream', () => {
  let stand: Stand
  afterEach(() => stand.close())

  const start = async (
    reply?: (count: number, socket: Socket) => string | undefined,
    config: Readonly<Record<string, unknown>> = {},
  ): Promise<Recorder> => {
    let count = 0
    const recorder = await startRecorder(
      reply === undefined ? undefined : (_request, socket) => reply(++count, socket),
    )
    stand = await startStand({ recorder, config })
    return recorder
  }
  const ask = async (body?: Buffer): Promise<WireAnswer> => {
    const input = body === undefined ? {} : { method: 'POST', body }
    return sendBytes(stand.port, requestBytes(await signedRequest(input)))
  }
  const answer = (text: string, more = '') =>
    `HTTP/1.1 200 OK\r\n${more}Content-Length: ${text.length}\r\n\r\n${text}`

  it('carry one request after the other', async () => {
    const recorder = await start()
    for (let i = 0; i < 5; i++) expect((await ask()).status).toBe(200)
    expect([recorder.requests.length, recorder.connections]).toEqual([5, 1])
  })

  it.each([
    ['that says so', 'Connection: close\r\n'],
    ['that would close it soon', 'Keep-Alive: timeout=1\r\n'],
  ])('carry no more behind an answer %s', async (_what, field) => {
    const recorder = await start(() => answer('ok', field))
    for (let i = 0; i < 3; i++) expect((await ask()).body).toBe('ok')
    expect(recorder.connections).toBe(3)
  })

  it('are not used again where something comes behind an answer, at once or later', async () => {
    const forged = answer('forged')
    const recorder = await start((count, socket) => {
      if (count === 1) return `${answer('first')}${forged}`
      if (count === 2) setTimeout(() => socket.write(forged), 20)
      return answer(`number ${count}`)
    })
    expect((await ask()).body).toBe('first')
    expect((await ask()).body).toBe('number 2')
    await recorder.ended(2)
    expect((await ask()).body).toBe('number 3')
    expect(recorder.connections).toBe(3)
  })

  it('are no more than the configuration allows, and requests wait for one', async () => {
    const recorder = await start(
      (count, socket) => {
        setTimeout(() => socket.write(answer(`number ${count}`)), 20)
        return undefined
      },
      { limits: { upstreamConnections: 2 } },
    )
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => ask()))
    expect(answers.map(({ body }) => body).sort()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `number ${n}`))
    expect(recorder.connections).toBe(2)
  })

  it('carry content of every size as it was sent', async () => {
    const recorder = await start()
    for (const size of [0, 1, 4095, 12_287, 12_288, 65_537, 1_048_576, 1_100_000]) {
      const body = Buffer.alloc(size)
      for (let i = 0; i < size; i++) body[i] = i % 251
      recorder.forget()
      expect((await ask(body)).status).toBe(200)
      expect(recorder.requests[0]?.body.equals(body)).toBe(true)
    }
  })

  it.each([0, 1, 12_288, 12_289, 70_000, 3_000_000])(
    'bring back %i bytes as they were sent',
    async (size) => {
      let text = ''
      for (let i = 0; i < 256; i++) text += String.fromCharCode(i)
      text = text.repeat(size / 256 + 1).slice(0, size)
      const chunk = size === 0 ? '' : `${size.toString(16)}\r\n${text}\r\n`
      await start((count) =>
        count === 1 ? answer(text) : `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`,
      )
      expect((await ask()).body === text).toBe(true)
      expect(withoutChunks((await ask()).body) === text).toBe(true)
    },
  )
})

describe('an answer in several pieces', () => {
  it.each([
    ['whole', ['ab', 'cd'], 200, 'abcd'],
    ['cut off behind the first', ['ab'], 200, 'ab'],
  ])('is passed on as it comes: %s', async (_what, pieces, status, body) => {
    const recorder = await startRecorder((_request, socket) => {
      const send = (at: number): void => {
        const piece = pieces[at]
        if (piece === undefined) socket.end()
        else socket.write(piece, () => setTimeout(() => send(at + 1), 5))
      }
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', () => send(0))
      return undefined
    })
    const stand = await startStand({ recorder })
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest()))
    expect([answer.status, answer.fields.get('content-length'), answer.body]).toEqual([status, '4', body])
    await stand.close()
  })
})

describe('an upstream with TLS', () => {
  it('is reached where its certificate is good, and not where it is not', { timeout: 30_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tls-test-'))
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    )
    const script = join(directory, 'ask.mjs')
    const moduleUrl = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
    // In a process of its own, since Node reads further authorities at its start only.
    writeFileSync(
      script,
      `import { createServer } from 'node:http'
import { Upstream } from ${moduleUrl('upstream.ts')}
const upstream = new Upstream(process.argv[2], { connections: 2, connectTimeoutMs: 2000, responseTimeoutMs: 2000 })
let count = 0
const server = createServer(async (request, response) => {
  const exchange = upstream.send({ method: 'POST', target: '/x', fields: ['Host', 'host-' + count++, 'Content-Length', '3'], content: Buffer.from('abc') }, response)
  exchange.pass()
  const outcome = await exchange.done
  if (outcome !== undefined) response.end(outcome)
}).listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port
  for (let i = 0; i < 2; i++) console.log(await (await fetch(url)).text())
  process.exit(0)
})`,
    )
    const server = createSecure(
      { key: readFileSync(key), cert: readFileSync(cert) },
      async (request, response) => {
        let content = ''
        for await (const chunk of request) content += chunk
        response.end(`${request.method} ${request.url} ${content}`)
      },
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    let connections = 0
    server.on('secureConnection', () => connections++)
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const run = (host: string, env: Readonly<Record<string, string>>) =>
      new Promise((resolve) => {
        execFile(
          process.execPath,
          ['--import', 'tsx', script, `https://${host}:${port}`],
          { env: { ...process.env, ...env }, cwd: new URL('.', import.meta.url) },
          (_error, out, err) => resolve(out + err),
        )
      })
    const good = 'POST /x abc\n'.repeat(2)
    const bad = 'upstream-broken\n'.repeat(2)
    expect(await run('localhost', { NODE_EXTRA_CA_CERTS: cert })).toBe(good)
    // Whatever host the client names.
    expect(connections).toBe(1)
    expect(await run('127.0.0.1', { NODE_EXTRA_CA_CERTS: cert })).toBe(bad)
    expect(await run('localhost', {})).toBe(bad)
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })
})
