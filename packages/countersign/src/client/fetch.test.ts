import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { wireRequest } from '../message/message.ts'
import { CountersignError } from '../reasons/error.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import type { Scheme } from '../schemes/scheme.ts'
import { createSigner, type Signer } from '../signer/signer.ts'
import { createVerifier } from '../verifier/verifier.ts'
import { signedFetch } from './fetch.ts'

const credential = { id: 'test', secret: 'a secret of these tests, known to both' }
const verifier = createVerifier({ schemes: [rfc9421()], credentials: () => credential })

interface Arrival {
  readonly line: string
  readonly fields: readonly string[]
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly verdict: string
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Verifies what arrives, writes it down and lets `answer` answer, by default with 200. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void = () => {}) {
  const arrivals: Arrival[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url: target = '', rawHeaders: fields, headers } = request
    const body = Buffer.concat(chunks)
    const verdict = await verifier.verify(wireRequest({ method, target, scheme: 'http', fields, body }))
    const line = `${method} ${target}`
    arrivals.push({ line, fields, headers, body, verdict: verdict.ok ? 'ok' : verdict.reason })
    answer(request, response)
    response.end('answered')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  const address = server.address()
  return { origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, arrivals }
}

const signerOf = (scheme: Scheme = rfc9421()): Signer => createSigner({ scheme, credential })
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )

describe('signedFetch', () => {
  it('signs every kind of body that fetch takes, with the Content-Type that fetch derives', async () => {
    const { origin, arrivals } = await serve()
    const form = new FormData()
    form.set('file', new Blob(['content'], { type: 'text/x' }), 'name.txt')
    const bytes = Uint8Array.of(0, 255, 1)
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes)
        controller.enqueue(bytes)
        controller.close()
      },
    })
    const fetch = signedFetch(signerOf())
    const bodies: readonly BodyInit[] = [
      't\u00e9xt',
      new URLSearchParams({ a: '1 2' }),
      bytes,
      bytes.buffer,
      new DataView(bytes.buffer, 1),
      new Blob(['blob'], { type: 'text/blob' }),
      form,
      stream,
    ]
    for (const body of bodies) {
      const init: RequestInit & { duplex?: 'half' } = { method: 'POST', body, duplex: 'half' }
      await fetch(origin, init)
    }
    expect(arrivals.map(({ verdict }) => verdict)).toEqual(bodies.map(() => 'ok'))
    expect(arrivals.map(({ headers }) => headers['content-type']?.split(';')[0])).toEqual([
      'text/plain',
      'application/x-www-form-urlencoded',
      undefined,
      undefined,
      undefined,
      'text/blob',
      'multipart/form-data',
      undefined,
    ])
    expect(arrivals.map(({ body }) => body.length).filter((_, i) => i !== 6)).toEqual([5, 5, 3, 3, 2, 4, 6])
    expect(arrivals[6]?.body.toString()).toContain('filename="name.txt"')
    expect(arrivals.map(({ headers }) => headers['content-length'])).toEqual(
      arrivals.map(({ body }) => String(body.length)),
    )
  })

  it('takes a Request, and what init says goes before it', async () => {
    const { origin, arrivals } = await serve()
    const fetch = signedFetch(signerOf())
    const request = new Request(`${origin}/r`, {
      method: 'PUT',
      body: 'of the request',
      headers: { 'X-A': '1' },
    })
    await fetch(request)
    await fetch(new Request(`${origin}/r`, { headers: { 'X-A': '1' } }), {
      method: 'DELETE',
      headers: { 'X-B': '2' },
    })
    await fetch(`${origin}/copy`, new Request(`${origin}/r`, { method: 'DELETE' }))
    expect(arrivals.map(({ line, verdict }) => `${line} ${verdict}`)).toEqual([
      'PUT /r ok',
      'DELETE /r ok',
      'DELETE /copy ok',
    ])
    expect(arrivals[0]?.body.toString()).toBe('of the request')
    expect(arrivals.map(({ headers }) => [headers['x-a'], headers['x-b']])).toEqual([
      ['1', undefined],
      [undefined, '2'],
      [undefined, undefined],
    ])
    expect(request.bodyUsed).toBe(true)
  })

  it('obeys the signal of the caller', async () => {
    const { origin, arrivals } = await serve()
    const fetch = signedFetch(signerOf())
    const aborted = AbortSignal.abort()
    expect(await failure(fetch(origin, { signal: aborted }))).toMatchObject({ name: 'AbortError' })
    expect(await failure(fetch(new Request(origin, { signal: aborted })))).toMatchObject({
      name: 'AbortError',
    })
    expect(arrivals).toEqual([])
  })

  it('refuses a stream over the limit and reads no further', async () => {
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(100))
      },
    })
    const { origin, arrivals } = await serve()
    const fetch = signedFetch(signerOf(), { limitBytes: 1000 })
    const init: RequestInit & { duplex?: 'half' } = { method: 'POST', body: endless, duplex: 'half' }
    expect(await failure(fetch(origin, init))).toMatchObject({ code: 'body-unavailable' })
    expect(pulled).toBeLessThan(15)
    await fetch(origin, { method: 'POST', body: 'x'.repeat(1001) })
    expect(arrivals.map(({ body }) => body.length)).toEqual([1001])
  })

  it('refuses an object as body instead of sending "[object Object]"', async () => {
    const { origin, arrivals } = await serve()
    const body: unknown = { a: 1 }
    const sent = signedFetch(signerOf())(origin, { method: 'POST', body: body as BodyInit }) // what JavaScript callers do
    expect(await failure(sent)).toMatchObject({ code: 'body-unavailable' })
    expect(arrivals).toEqual([])
  })

  it('refuses what fetch would send otherwise than signed', async () => {
    const { origin, arrivals } = await serve()
    const fetch = signedFetch(signerOf())
    for (const headers of [{ Host: 'other.example' }, { 'Content-Length': '4' }]) {
      const sent = fetch(origin, { method: 'POST', body: 'abc', headers })
      expect(await failure(sent)).toMatchObject({ code: 'config-invalid' })
    }
    expect(await failure(fetch(origin, { mode: 'no-cors' }))).toMatchObject({ code: 'config-invalid' })
    expect(await failure(fetch('data:text/plain,x'))).toMatchObject({ code: 'config-invalid' })
    expect(await failure(fetch('http://user:secret@127.0.0.1/'))).toBeInstanceOf(TypeError)
    expect(arrivals).toEqual([])
  })

  it('signs host and content-length as fetch sends them', async () => {
    const { origin, arrivals } = await serve()
    const covers = ['@method', '@target-uri', 'host', 'content-length', 'content-digest']
    const fetch = signedFetch(signerOf(rfc9421({ covers })))
    await fetch(origin, { method: 'POST', body: 'abc' })
    await fetch(origin, { method: 'POST' })
    await fetch(origin, { method: 'POST', body: 'abc', headers: { 'Content-Length': '3' } })
    expect(arrivals.map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'ok'])
  })

  it('keeps a field that is not ASCII where it is not covered', async () => {
    const { origin, arrivals } = await serve()
    await signedFetch(signerOf())(origin, { headers: { 'X-Latin': 'caf\u00e9' } })
    expect(arrivals[0]).toMatchObject({ verdict: 'ok', headers: { 'x-latin': 'caf\u00e9' } })
  })

  it('leaves redirects to the caller who asks for it', async () => {
    const { origin, arrivals } = await serve((_, response) => response.writeHead(302, { location: '/to' }))
    const fetch = signedFetch(signerOf())
    expect((await fetch(origin, { redirect: 'manual' })).status).toBe(302)
    expect(await failure(fetch(origin, { redirect: 'error' }))).toBeInstanceOf(TypeError)
    expect(arrivals.length).toBe(2)
  })

  it('says of a response behind a redirect that it was redirected', async () => {
    const { origin } = await serve(({ url }, response) => {
      if (url === '/') response.writeHead(302, { location: '/to' })
    })
    const fetch = signedFetch(signerOf())
    const response = await fetch(origin)
    expect([response.redirected, response.url]).toEqual([true, `${origin}/to`])
    expect((await fetch(`${origin}/to`)).redirected).toBe(false)
  })

  it('follows to another origin only unsigned, without credentials, and signs nothing of that chain again', async () => {
    let home = ''
    const other = await serve((_, response) =>
      response.writeHead(307, { location: `${home}/chosen-by-other` }),
    )
    const first = await serve(({ url }, response) => {
      if (url === '/') response.writeHead(307, { location: `${other.origin}/x` })
    })
    home = first.origin
    const headers = { Authorization: 'Bearer t', Cookie: 'a=b', 'X-Note': 'stays' }
    const init = { method: 'POST', body: 'abc', headers }

    expect(await failure(signedFetch(signerOf())(home, init))).toMatchObject({ code: 'redirect-refused' })
    expect(other.arrivals).toEqual([])

    await signedFetch(signerOf(), { crossOrigin: 'unsigned' })(home, init)
    expect(other.arrivals.map(({ verdict }) => verdict)).toEqual(['signature-absent'])
    const names = other.arrivals[0]?.fields.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
    expect(names).toContain('x-note')
    for (const name of ['authorization', 'cookie', 'signature', 'signature-input'])
      expect(names).not.toContain(name)
    expect(first.arrivals.map(({ line, verdict }) => `${line} ${verdict}`)).toEqual([
      'POST / ok',
      'POST / ok',
      'POST /chosen-by-other signature-absent',
    ])
  })

  it('reads a Location of raw UTF-8 as browsers do', async () => {
    const { origin, arrivals } = await serve(({ url }, response) => {
      if (url === '/') response.writeHead(302, { location: Buffer.from('/\u00e9').toString('latin1') })
    })
    await signedFetch(signerOf())(origin)
    expect(arrivals.map(({ line, verdict }) => `${line} ${verdict}`)).toEqual(['GET / ok', 'GET /%C3%A9 ok'])
  })

  it('refuses a Location that is no http URL or holds a password', async () => {
    const locations = ['ftp://x/', 'http://a:b@x/', 'http://[', 'javascript:1']
    const { origin } = await serve(({ url }, response) =>
      response.writeHead(302, { location: locations[Number(url?.slice(1))] ?? '' }),
    )
    const fetch = signedFetch(signerOf())
    for (const i of locations.keys()) {
      expect(await failure(fetch(`${origin}/${i}`))).toMatchObject({ code: 'redirect-refused' })
    }
  })

  it('keeps method and content of a PUT behind a 302, as browsers do', async () => {
    const { origin, arrivals } = await serve(({ url }, response) => {
      if (url === '/') response.writeHead(302, { location: '/to' })
    })
    await signedFetch(signerOf())(origin, { method: 'PUT', body: 'abc' })
    expect(arrivals.map(({ line, body, verdict }) => `${line} ${body} ${verdict}`)).toEqual([
      'PUT / abc ok',
      'PUT /to abc ok',
    ])
  })

  it('sends what was signed, whatever the caller does to the bytes meanwhile', async () => {
    const { origin, arrivals } = await serve()
    const body = Uint8Array.of(97, 98, 99)
    const sent = signedFetch(signerOf())(origin, { method: 'POST', body })
    body.fill(120)
    await sent
    expect(arrivals.map(({ body, verdict }) => `${body} ${verdict}`)).toEqual(['abc ok'])
  })

  it('hands the URL on without what runtimes treat differently: an empty query, a fragment', async () => {
    const urls: string[] = []
    const fetch = signedFetch(signerOf(), {
      fetch: async (url) => {
        urls.push(url)
        return new Response()
      },
    })
    for (const end of ['', '?', '/a?#b', '/a?c#d', '/a#']) await fetch(`HTTPS://Example.com:443${end}`)
    const origin = 'https://example.com'
    expect(urls).toEqual([`${origin}/`, `${origin}/`, `${origin}/a`, `${origin}/a?c`, `${origin}/a`])
  })

  it('appends query parameters that a scheme signs with', async () => {
    const { origin, arrivals } = await serve()
    const signer = { ...signerOf(), sign: async () => ({ set: [], query: 'sig=1' }) }
    const fetch = signedFetch(signer)
    await fetch(`${origin}/a`)
    await fetch(`${origin}/a?b=%7e`)
    expect(arrivals.map(({ line }) => line)).toEqual(['GET /a?sig=1', 'GET /a?b=%7e&sig=1'])
  })

  it('refuses options out of range', () => {
    const wrong: readonly object[] = [
      { maxRedirects: 21 },
      { maxRedirects: -1 },
      { limitBytes: 0.5 },
      { crossOrigin: 'follow' },
    ]
    for (const options of wrong) expect(() => signedFetch(signerOf(), options)).toThrow(CountersignError)
  })
})
