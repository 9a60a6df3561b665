import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Recorder, startRecorder } from './proving/recorder.ts'
import { requestBytes, signedRequest, testCredential } from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

describe('what is verified reaches the upstream byte for byte', () => {
  let stand: Stand
  beforeAll(async () => {
    stand = await startStand({
      config: {
        routes: [
          { path: '/' },
          { path: '/raw', targets: 'as-sent' },
          { path: '/rights', rights: ['invoices:write'] },
          { path: '/more-rights', rights: 'invoices:delete' },
        ],
      },
    })
  })
  afterAll(() => stand.close())
  beforeEach(() => stand.recorder.forget())

  const only = () => {
    expect(stand.recorder.requests).toHaveLength(1)
    return stand.recorder.requests[0] ?? expect.fail()
  }

  it('keeps names, values, order and duplicates of end-to-end fields', async () => {
    const fields = [
      ['X-One', 'first'],
      ['x-ONE', '  second  '],
      ['Accept', 'text/*;q=0.3, \xe9\xff'],
      ['X-Empty', ''],
      ['X-One', 'third'],
    ] as const
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ fields })))
    expect(answer.status).toBe(200)
    const seen = only().fields.filter(([name]) => /^(?:x-one|accept|x-empty)$/i.test(name))
    expect(seen).toEqual([
      ['X-One', 'first'],
      ['x-ONE', 'second'],
      ['Accept', 'text/*;q=0.3, \xe9\xff'],
      ['X-Empty', ''],
      ['X-One', 'third'],
    ])
  })

  it.each(['GET', 'DELETE', 'PATCH', 'PROPFIND', 'M-SEARCH'])('keeps the method %s', async (method) => {
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ method })))
    expect([answer.status, only().method]).toEqual([200, method])
  })

  it.each([
    '/invoices?a=%7e&b=c%2Fd&&x',
    '/caf%C3%A9/%7e?',
    '/a.b/..c/',
    '/raw/../x/%2e%2e/%2F%5c//y;z=1?q',
    '/raw//',
  ])('keeps the target %s', async (target) => {
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ target })))
    expect([answer.status, only().target]).toEqual([200, target])
  })

  it.each(['length', 'chunked'] as const)(
    'keeps a body framed by %s, with a single length',
    async (framing) => {
      const body = randomBytes(70_000)
      const request = await signedRequest({ method: 'POST', body })
      const answer = await sendBytes(stand.port, requestBytes(request, framing))
      expect(answer.status).toBe(200)
      const seen = only()
      expect(seen.body.equals(body)).toBe(true)
      expect(seen.head.toLowerCase().match(/content-length:/g)).toHaveLength(1)
      expect(seen.head.toLowerCase()).not.toContain('transfer-encoding')
    },
  )

  it('passes a body of three megabytes through its temporary file', async () => {
    const body = randomBytes(3_000_000)
    const request = await signedRequest({ method: 'PUT', body })
    const answer = await sendBytes(stand.port, requestBytes(request, 'chunked'))
    expect(answer.status).toBe(200)
    expect(only().body.equals(body)).toBe(true)
  })

  it('passes a body of a GET request', async () => {
    const body = Buffer.from('{"query":1}')
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ body })))
    expect([answer.status, only().body.toString()]).toEqual([200, '{"query":1}'])
  })

  it('tells the upstream who called, and nothing that a client says of it', async () => {
    const fields = [
      ['X-Countersign-Key', 'admin'],
      ['x-countersign-KEY', 'admin'],
      ['x_countersign_rights', 'everything'],
      ['X-Countersign_Owner', 'root'],
      ['X.Countersign.Scheme', 'none'],
      ['X-Countersign-Whatever', 'x'],
      ['X-Forwarded-For', '10.9.8.7'],
      ['X_Forwarded_For', '10.9.8.7'],
      ['Forwarded', 'for=10.9.8.7'],
      ['X-HTTP-Method-Override', 'DELETE'],
      ['X-Original-URL', '/admin'],
    ] as const
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ fields })))
    expect(answer.status).toBe(200)
    const { fields: seen, head } = only()
    expect(seen.filter(([name]) => /countersign/i.test(name))).toEqual([
      ['X-Countersign-Key', 'caller-1'],
      ['X-Countersign-Scheme', 'rfc9421'],
      ['X-Countersign-Owner', 'Ada%20Lovelace'],
      ['X-Countersign-Rights', 'invoices:read,invoices:write'],
    ])
    expect(seen.filter(([name]) => /forwarded/i.test(name))).toEqual([
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Forwarded-Host', 'api.example.test'],
    ])
    expect(head).not.toMatch(/10\.9\.8\.7|override|original/i)
  })

  it('keeps an override field that is signed', async () => {
    const fields = [['X-HTTP-Method-Override', 'PATCH']] as const
    const covers = ['@method', '@target-uri', 'x-http-method-override']
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ fields, covers })))
    expect([answer.status, only().fields.find(([name]) => /override/i.test(name))?.[1]]).toEqual([
      200,
      'PATCH',
    ])
  })

  it('does not pass hop-by-hop fields on', async () => {
    const fields = [
      ['TE', 'trailers'],
      ['Keep-Alive', 'timeout=9'],
      ['Proxy-Connection', 'keep-alive'],
      ['Proxy-Authorization', 'Basic eA=='],
      ['Trailer', 'X-Late'],
    ] as const
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ fields })))
    expect(answer.status).toBe(200)
    expect(only().head).not.toMatch(/^(?:te|keep-alive|proxy-|trailer)/im)
  })

  it.each(['x-one', 'content-digest', 'authorization', 'X-Countersign-Key', 'host'])(
    'refuses Connection: %s, which would take an end-to-end field away',
    async (token) => {
      const request = await signedRequest({ fields: [['X-One', '1']] })
      const bytes = requestBytes(request)
        .toString('latin1')
        .replace('Connection: close', `Connection: close, ${token}`)
      const answer = await sendBytes(stand.port, bytes)
      expect([answer.status, stand.outcome(), stand.recorder.bytes]).toEqual([400, 'fields-refused', 0])
    },
  )

  it.each([
    ['te', 'trailers'],
    ['x-countersign-key', 'me'],
    ['x-forwarded-for', '10.1.1.1'],
    ['expect', '100-continue'],
  ])('refuses a signature that covers %s, which does not get past this hop', async (name, value) => {
    const covers = ['@method', '@target-uri', name]
    const answer = await sendBytes(
      stand.port,
      requestBytes(await signedRequest({ fields: [[name, value]], covers })),
    )
    expect([answer.status, stand.outcome(), stand.recorder.bytes]).toEqual([400, 'fields-refused', 0])
  })

  it('passes a covered Content-Length on as it was signed', async () => {
    const body = Buffer.from('twelve bytes')
    const covers = ['@method', '@target-uri', 'content-digest', 'content-length']
    const request = await signedRequest({ method: 'POST', body, covers, fields: [['Content-Length', '12']] })
    const bytes = requestBytes({ ...request, body: Buffer.alloc(0) })
    const answer = await sendBytes(stand.port, bytes, body)
    expect([answer.status, only().fields.find(([name]) => /length/i.test(name))?.[1]]).toEqual([200, '12'])
  })

  it('answers 403 to a caller without the right of the route', async () => {
    const good = await sendBytes(stand.port, requestBytes(await signedRequest({ target: '/rights/1' })))
    expect(good.status).toBe(200)
    stand.recorder.forget()
    const bad = await sendBytes(stand.port, requestBytes(await signedRequest({ target: '/more-rights/1' })))
    expect([bad.status, stand.outcome(), stand.recorder.bytes]).toEqual([403, 'right-missing', 0])
  })

  it('judges each of several requests on one connection for itself', async () => {
    const keep = async (target: string) =>
      requestBytes(await signedRequest({ target }))
        .toString('latin1')
        .replace('Connection: close\r\n', '')
    const forged = (await keep('/b')).replace('/b', '/c')
    const answer = await sendBytes(
      stand.port,
      `${await keep('/a')}${forged}`,
      requestBytes(await signedRequest({ target: '/d' })),
    )
    expect(answer.raw.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 200'])
    expect(stand.recorder.requests.map(({ target }) => target).sort()).toEqual(['/a', '/d'])
  })
})

describe('host and scheme of a request', () => {
  const forwarded = [
    ['X-Forwarded-For', '203.0.113.9'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'public.example.test'],
  ] as const
  const askWith = async (
    config: Readonly<Record<string, unknown>>,
    input: Parameters<typeof signedRequest>[0],
  ) => {
    const stand = await startStand({ config })
    const answer = await sendBytes(stand.port, behindProxy(requestBytes(await signedRequest(input))))
    const [seen] = stand.recorder.requests
    await stand.close()
    return { outcome: stand.outcome(), status: answer.status, fields: seen?.fields ?? [] }
  }
  // Signed for the public name; the proxy in front has written its own Host.
  const signedAs = { scheme: 'https', host: 'public.example.test', fields: forwarded } as const
  const behindProxy = (bytes: Buffer) => bytes.toString('latin1').replace('Host: public', 'Host: internal')

  it('are those that a trusted proxy says, whose fields are kept', async () => {
    const { status, fields } = await askWith({ trustedProxies: ['127.0.0.0/8'] }, signedAs)
    expect(status).toBe(200)
    expect(fields.filter(([name]) => name.startsWith('X-Forwarded'))).toEqual([
      ...forwarded,
      ['X-Forwarded-For', '127.0.0.1'],
    ])
  })

  it('are not those that anybody else says', async () => {
    const { status, outcome } = await askWith({ trustedProxies: ['10.0.0.0/8'] }, signedAs)
    expect([status, outcome]).toEqual([401, 'signature-mismatch'])
  })

  it('are refused where a trusted proxy says them twice', async () => {
    const fields = [...forwarded, ['X-Forwarded-Host', 'other.example.test']] as const
    const { status, outcome } = await askWith({ trustedProxies: ['127.0.0.1'] }, { ...signedAs, fields })
    expect([status, outcome]).toEqual([400, 'message-malformed'])
  })

  it('are https where the configuration says that TLS ends in front', async () => {
    expect((await askWith({ publicScheme: 'https' }, { scheme: 'https' })).status).toBe(200)
    expect((await askWith({ publicScheme: 'https' }, { scheme: 'http' })).status).toBe(401)
  })
})

describe('a route that does not enforce', () => {
  const body = randomBytes(2000)
  const forged = {
    method: 'POST',
    body,
    credential: { ...testCredential, secret: 'not the secret of this caller' },
  }

  it.each(['warn', 'observe', 'off'])(
    'in mode %s passes everything on whole, without identity, and says so loudly',
    async (mode) => {
      const stand = await startStand({ config: { routes: [{ path: '/', mode, name: 'open' }] } })
      expect(stand.lines.filter(({ level, route }) => level === 'warn' && route === 'open')).toEqual([
        expect.objectContaining({ mode, message: expect.stringContaining('THIS ROUTE IS OPEN') }),
      ])
      const said = stand.lines.length
      const fields = [['X-Countersign-Key', 'admin']] as const
      const answer = await sendBytes(stand.port, requestBytes(await signedRequest({ ...forged, fields })))
      expect(answer.status).toBe(200)
      expect(stand.outcome()).toBe(mode === 'off' ? 'signature-absent' : 'signature-mismatch')
      expect(stand.recorder.requests[0]?.body.equals(body)).toBe(true)
      expect(stand.recorder.requests[0]?.head).not.toMatch(/countersign/i)
      // Where nothing is judged there is nothing to say of each request.
      expect(stand.lines.slice(said).map(({ level }) => level)).toEqual(mode === 'off' ? [] : ['warn'])
      await stand.close()
    },
  )

  it('names the caller where the signature is good', async () => {
    const stand = await startStand({ config: { routes: [{ path: '/', mode: 'observe' }] } })
    await sendBytes(stand.port, requestBytes(await signedRequest()))
    expect(stand.recorder.requests[0]?.fields).toContainEqual(['X-Countersign-Key', 'caller-1'])
    await stand.close()
  })

  it('still refuses what cannot be passed on', async () => {
    const config = { routes: [{ path: '/', mode: 'off', limitBytes: 1000 }] }
    const stand = await startStand({ config })
    const large = await sendBytes(stand.port, requestBytes(await signedRequest(forged), 'chunked'))
    const hosts = await sendBytes(
      stand.port,
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
    )
    const broken = await sendBytes(stand.port, 'GET /a/../b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect([large.status, hosts.status, broken.status, stand.recorder.bytes]).toEqual([413, 400, 400, 0])
    await stand.close()
  })
})

describe('answers of the upstream', () => {
  let recorder: Recorder
  let stand: Stand
  let reply = ''
  beforeAll(async () => {
    recorder = await startRecorder((_request, socket) => {
      if (reply === 'reset') socket.destroy()
      return reply === 'silence' || reply === 'reset' ? undefined : reply
    })
    stand = await startStand({
      recorder,
      config: { timeouts: { upstreamResponseSeconds: 1, upstreamConnectSeconds: 1 } },
    })
  })
  afterAll(() => stand.close())

  const ask = async (text: string, method = 'GET') => {
    reply = text
    return sendBytes(stand.port, requestBytes(await signedRequest({ method })))
  }

  it('pass with status, reason phrase, fields in order and case, and body', async () => {
    const answer = await ask(
      'HTTP/1.1 207 Many Things\r\nSet-Cookie: a=1\r\nX-Odd: \xe9\r\nSET-COOKIE: b=2\r\nContent-Length: 3\r\n\r\nabc',
    )
    expect(answer.raw).toMatch(
      /^HTTP\/1\.1 207 Many Things\r\nSet-Cookie: a=1\r\nX-Odd: \xe9\r\nSET-COOKIE: b=2\r\nContent-Length: 3\r\n/,
    )
    expect(answer.body).toBe('abc')
  })

  it('lose hop-by-hop and identity fields', async () => {
    const answer = await ask(
      'HTTP/1.1 200 OK\r\nX-Countersign-Key: forged\r\nx_countersign_rights: all\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    )
    expect(answer.status).toBe(200)
    expect(answer.raw).not.toMatch(/countersign|x-hop/i)
    expect(answer.body).toContain('abc')
  })

  it('of a HEAD request keep their Content-Length and have no body', async () => {
    const answer = await ask('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n', 'HEAD')
    expect([answer.status, answer.fields.get('content-length'), answer.body]).toEqual([200, '12345', ''])
  })

  it('that are interim are not taken for the answer', async () => {
    const answer = await ask('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n')
    expect(answer.status).toBe(204)
  })

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
    [
      'an upgrade nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
    ['a status below 100', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['100 Continue without being asked', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['a reset', 'reset'],
  ])('that are %s become 502', async (_what, text) => {
    const answer = await ask(text)
    expect([answer.status, stand.outcome()]).toEqual([502, 'upstream-broken'])
  })

  it('that do not come become 504', async () => {
    const answer = await ask('silence')
    expect([answer.status, stand.outcome()]).toEqual([504, 'upstream-slow'])
  })

  it('that break off are not passed on as if they were whole', async () => {
    const answer = await ask('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')
    expect(answer.raw).toContain('Content-Length: 10')
    expect(answer.body).toBe('abc')
  })
})
