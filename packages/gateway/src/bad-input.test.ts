import { randomBytes } from 'node:crypto'
import { memoryCredentials } from 'countersign'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  requestBytes,
  type SignedInput,
  signedRequest,
  testCredential,
  testSecret,
} from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { openSocket, readAnswer, sendBytes, type WireAnswer } from './proving/wire.ts'

const now = (): number => Math.floor(Date.now() / 1000)

describe('bad input gets its verdict and status, and nothing of it reaches the upstream', () => {
  let stand: Stand
  beforeAll(async () => {
    stand = await startStand({
      credentials: memoryCredentials([
        testCredential,
        { ...testCredential, id: 'switched-off', active: false },
        { ...testCredential, id: 'old', expiresAt: 1_000_000_000 },
      ]),
      config: {
        schemes: ['rfc9421', 'ustudio-hmac'],
        routes: [
          { path: '/', limitBytes: 100_000 },
          { path: '/admin', rights: ['admin'], methods: ['GET'] },
        ],
        timeouts: { requestSeconds: 1, headersSeconds: 1, drainSeconds: 1 },
      },
    })
  })
  afterAll(() => stand.close())
  afterEach(async () => {
    expect(stand.recorder.bytes, 'bytes that reached the upstream').toBe(0)
    expect(stand.lines.filter(({ code }) => code === 'failed')).toEqual([])
    const good = await sendBytes(stand.port, requestBytes(await signedRequest()))
    expect(good.status, 'the next good request').toBe(200)
    stand.recorder.forget()
  })

  const signed = async (input?: SignedInput) => requestBytes(await signedRequest(input)).toString('latin1')
  const signatures = new Set<string>()
  const send = async (bytes: string | Buffer): Promise<WireAnswer> => {
    const sent = /Signature: sig1?=:([^:]{20,}):/i.exec(bytes.toString('latin1'))?.[1]
    if (sent !== undefined) signatures.add(sent)
    return sendBytes(stand.port, bytes)
  }
  const expectVerdict = (answer: WireAnswer, status: number, outcome: string): void => {
    expect([answer.status, stand.outcome()]).toEqual([status, outcome])
  }

  it.each([
    ['an unknown key', { credential: { ...testCredential, id: 'nobody' } }, 'credential-unknown'],
    [
      'a key id named __proto__',
      { credential: { ...testCredential, id: '__proto__' } },
      'credential-unknown',
    ],
    ['a key switched off', { credential: { ...testCredential, id: 'switched-off' } }, 'credential-inactive'],
    ['a key past its end', { credential: { ...testCredential, id: 'old' } }, 'credential-expired'],
    [
      'another secret',
      { credential: { ...testCredential, secret: 'other secret of sufficient length' } },
      'signature-mismatch',
    ],
    ['an old signature', { clock: () => now() - 400 }, 'created-stale'],
    ['a signature from the future', { clock: () => now() + 400 }, 'created-in-future'],
    ['too little coverage', { covers: ['@method'] }, 'coverage-missing'],
    ['another scheme than the connection has', { scheme: 'https' }, 'signature-mismatch'],
  ] as const)('%s', async (_what, input, reason) => {
    expectVerdict(await send(await signed(input)), 401, reason)
  })

  it('unknown key and wrong secret look the same from outside', async () => {
    const wrong = await send(
      await signed({ credential: { ...testCredential, secret: 'other secret of sufficient length' } }),
    )
    const unknown = await send(await signed({ credential: { ...testCredential, id: 'nobody-1' } }))
    const same = (answer: WireAnswer) => answer.raw.replace(/Date: [^\r]*/, '')
    expect(same(unknown)).toBe(same(wrong))
  })

  it.each([
    ['the method', /^GET/, 'PUT', 'signature-mismatch'],
    ['the path', '/invoices?', '/invoicez?', 'signature-mismatch'],
    ['the query', 'id=7', 'id=8', 'signature-mismatch'],
    ['the host', 'Host: api.example.test', 'Host: api.example.tesu', 'signature-mismatch'],
    [
      'a character of the MAC',
      /(Signature: [^\r]*:)(.)/,
      (_all: string, before: string, one: string) => `${before}${one === 'A' ? 'B' : 'A'}`,
      'signature-mismatch',
    ],
    ['the signature removed', /Signature: [^\r]*\r\n/, '', 'signature-malformed'],
    ['both signature fields removed', /Signature[^\r]*\r\nSignature[^\r]*\r\n/, '', 'signature-absent'],
  ] as const)('changed: %s', async (_what, pattern, replacement, reason) => {
    const bytes = await signed()
    // The overloads of `replace` want to know which it is.
    const changed =
      typeof replacement === 'string'
        ? bytes.replace(pattern, replacement)
        : bytes.replace(pattern, replacement)
    expect(changed).not.toBe(bytes)
    expectVerdict(await send(changed), 401, reason)
  })

  it.each([
    ['another body', Buffer.from('{"amount":99}')],
    ['no body', Buffer.alloc(0)],
  ])('changed: %s', async (_what, body) => {
    const request = await signedRequest({ method: 'POST', body: Buffer.from('{"amount":10}') })
    expectVerdict(await send(requestBytes({ ...request, body })), 401, 'digest-mismatch')
  })

  it('the same request a second time', async () => {
    const bytes = await signed()
    expect((await send(bytes)).status).toBe(200)
    stand.recorder.forget()
    expectVerdict(await send(bytes), 401, 'replayed')
  })

  it('a body without a digest', async () => {
    const request = await signedRequest({ method: 'POST' })
    const fields = request.fields.filter(([name]) => name.toLowerCase() !== 'content-digest')
    const answer = await send(requestBytes({ ...request, fields, body: Buffer.from('x') }))
    expect(answer.status).toBe(401)
    expect(['coverage-missing', 'digest-missing', 'component-missing', 'digest-mismatch']).toContain(
      stand.outcome(),
    )
  })

  it('a duplicated Authorization', async () => {
    const line = `Authorization: USTUDIO-HMAC-V2 caller-1 ${'0'.repeat(64)}`
    const bytes = `GET /x HTTP/1.1\r\nHost: a.test\r\n${line}\r\n${line}\r\nConnection: close\r\n\r\n`
    expectVerdict(await send(bytes), 401, 'signature-malformed')
  })

  it.each([
    ['a digest that is not hex', 'zz'.repeat(32)],
    ['a digest with a byte above 0x7f', `${'0'.repeat(63)}\xe9`],
    ['a digest that is too short', '0'.repeat(62)],
  ])('%s', async (_what, digest) => {
    const bytes = `GET /x HTTP/1.1\r\nHost: a.test\r\nAuthorization: USTUDIO-HMAC-V2 caller-1 ${digest}\r\nConnection: close\r\n\r\n`
    expectVerdict(await send(bytes), 401, 'signature-malformed')
  })

  it.each(['ustudio', 'rfc9421'])('a key id of 10 KiB, in %s', async (scheme) => {
    const id = 'k'.repeat(10_240)
    const field =
      scheme === 'ustudio'
        ? `Authorization: USTUDIO-HMAC-V2 ${id} ${'0'.repeat(64)}`
        : `Signature-Input: s=("@method" "@target-uri");created=${now()};nonce="n";keyid="${id}"\r\nSignature: s=:AAAA:`
    const answer = await send(`GET /x HTTP/1.1\r\nHost: a.test\r\n${field}\r\nConnection: close\r\n\r\n`)
    expectVerdict(answer, 401, 'signature-malformed')
    for (const line of stand.lines) expect(JSON.stringify(line).length).toBeLessThan(2000)
  })

  it.each([
    [
      'in a key id',
      'Signature-Input: s=("@method" "@target-uri");created=1;nonce="n";keyid="\xe9\xff"\r\nSignature: s=:AAAA:',
    ],
    ['in the scheme', 'Authorization: \xff\xfe x y'],
  ])('header bytes above 0x7f %s', async (_where, field) => {
    const answer = await send(`GET /x HTTP/1.1\r\nHost: a.test\r\n${field}\r\nConnection: close\r\n\r\n`)
    expect([answer.status, stand.outcome()]).toEqual([
      401,
      field.startsWith('A') ? 'signature-absent' : 'signature-malformed',
    ])
  })

  it('a header field and a parameter named __proto__', async () => {
    const params = `s=("@method" "@target-uri");created=${now()};nonce="n";keyid="caller-1"`
    const inHeader = `__proto__: x\r\nconstructor: y\r\nSignature-Input: ${params}\r\nSignature: s=:AAAA:`
    const answer = await send(`GET /x HTTP/1.1\r\nHost: a.test\r\n${inHeader}\r\nConnection: close\r\n\r\n`)
    expect(answer.status).toBe(401)
    const inParameter = `Signature-Input: ${params};__proto__="x"\r\nSignature: s=:AAAA:`
    await send(`GET /x HTTP/1.1\r\nHost: a.test\r\n${inParameter}\r\nConnection: close\r\n\r\n`)
    expect(stand.outcome()).toBe('signature-malformed')
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it.each([
    ['two Host lines', 'GET /x HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n', 400, 'message-malformed'],
    ['no Host', 'GET /x HTTP/1.1\r\n', 400, 'message-malformed'],
    ['HTTP/1.0 without Host', 'GET /x HTTP/1.0\r\n', 400, 'message-malformed'],
    ['a Host with user information', 'GET /x HTTP/1.1\r\nHost: me@a.test\r\n', 400, 'message-malformed'],
    ['an absolute-form target', 'GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n', 400, 'target-ambiguous'],
    [
      'an absolute-form target elsewhere',
      'GET http://evil.test/x HTTP/1.1\r\nHost: a.test\r\n',
      400,
      'message-malformed',
    ],
    [
      'a target that begins with two slashes',
      'GET //evil/x HTTP/1.1\r\nHost: a.test\r\n',
      400,
      'target-ambiguous',
    ],
    ['a backslash', 'GET /\\evil HTTP/1.1\r\nHost: a.test\r\n', 400, 'message-malformed'],
    ['a fragment', 'GET /x#y HTTP/1.1\r\nHost: a.test\r\n', 400, 'message-malformed'],
    ['dot segments', 'GET /a/../admin HTTP/1.1\r\nHost: a.test\r\n', 400, 'target-ambiguous'],
    ['escaped dot segments', 'GET /a/%2E%2e/admin HTTP/1.1\r\nHost: a.test\r\n', 400, 'target-ambiguous'],
    ['an escaped slash', 'GET /a/..%2fadmin HTTP/1.1\r\nHost: a.test\r\n', 400, 'target-ambiguous'],
    ['a path parameter', 'GET /admin;x HTTP/1.1\r\nHost: a.test\r\n', 400, 'target-ambiguous'],
    [
      'an escaped letter that hides a route',
      'GET /%61dmin HTTP/1.1\r\nHost: a.test\r\n',
      400,
      'target-ambiguous',
    ],
    ['upper case that hides a route', 'GET /ADMIN HTTP/1.1\r\nHost: a.test\r\n', 400, 'target-ambiguous'],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a.test\r\n', 400, 'target-ambiguous'],
    [
      'a method that the route does not name',
      'POST /admin HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n',
      403,
      'route-denied',
    ],
    ['TRACE', 'TRACE /x HTTP/1.1\r\nHost: a.test\r\n', 501, 'method-refused'],
    ['CONNECT', 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n', 501, 'method-refused'],
    [
      'an upgrade',
      'GET /x HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: upgrade\r\n',
      501,
      'upgrade-refused',
    ],
    [
      'a target of over 8 KiB',
      `GET /${'a'.repeat(8192)} HTTP/1.1\r\nHost: a.test\r\n`,
      414,
      'target-too-long',
    ],
    ['129 fields', `GET /x HTTP/1.1\r\nHost: a.test\r\n${'X: 1\r\n'.repeat(128)}`, 431, 'fields-too-large'],
    ['3000 fields', `GET /x HTTP/1.1\r\nHost: a.test\r\n${'X: 1\r\n'.repeat(3000)}`, 431, 'fields-too-large'],
    [
      'over 16 KiB of fields',
      `GET /x HTTP/1.1\r\nHost: a.test\r\nX: ${'a'.repeat(17_000)}\r\n`,
      431,
      'fields-too-large',
    ],
    [
      '100 KiB of fields',
      `GET /x HTTP/1.1\r\nHost: a.test\r\nX: ${'a'.repeat(100_000)}\r\n`,
      431,
      'fields-too-large',
    ],
    [
      'a transfer coding of its own',
      'POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n',
      400,
      'framing-refused',
    ],
    [
      'both lengths',
      'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n',
      400,
      'request-malformed',
    ],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n', 400, 'request-malformed'],
    [
      'an expectation that nobody can meet',
      'GET /x HTTP/1.1\r\nHost: a.test\r\nExpect: miracles\r\n',
      417,
      'expectation-refused',
    ],
  ])('%s', async (_what, head, status, outcome) => {
    expectVerdict(
      await send(`${head}${head.includes('Connection') ? '' : 'Connection: close\r\n'}\r\n`),
      status,
      outcome,
    )
  })

  it.each(['length', 'chunked'] as const)('a body over the limit, framed by %s', async (framing) => {
    const request = await signedRequest({ method: 'POST', body: randomBytes(300_000) })
    expectVerdict(await send(requestBytes(request, framing)), 413, 'body-too-large')
  })

  it('a length of forty digits', async () => {
    const request = await signedRequest({ method: 'POST', body: Buffer.from('x') })
    const bytes = requestBytes(request)
      .toString('latin1')
      .replace('Content-Length: 1', `Content-Length: 1${'0'.repeat(39)}`)
    expect([400, 413]).toContain((await send(bytes)).status)
  })

  it('a slow body', async () => {
    const request = await signedRequest({ method: 'POST', body: Buffer.from('0123456789') })
    const bytes = requestBytes(request)
    const startedAt = performance.now()
    const answer = await send(bytes.subarray(0, -5))
    expectVerdict(answer, 408, 'body-slow')
    expect(performance.now() - startedAt).toBeLessThan(4000)
  })

  it('a slow head', async () => {
    const answer = await send('GET /x HTTP/1.1\r\nHost: a.te')
    expectVerdict(answer, 408, 'headers-slow')
  })

  it.each([
    'GET /x HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n',
    'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nab',
    'nonsense\r\n\r\n',
  ])('a connection that is reset behind %j', async (bytes) => {
    for (let i = 0; i < 20; i++) {
      const socket = await openSocket(stand.port)
      socket.write(bytes)
      if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      socket.resetAndDestroy()
    }
  })

  it('chunks that are none', async () => {
    const request = await signedRequest({ method: 'POST', body: Buffer.from('x') })
    const head = requestBytes({ ...request, body: Buffer.alloc(0) }, 'chunked')
      .toString('latin1')
      .replace('0\r\n\r\n', '')
    expectVerdict(await send(`${head}5\r\nabcdefgh\r\nzz\r\n`), 400, 'body-malformed')
  })

  it.each([0, 1, 700, 90_000])('a client that goes away after %i bytes of its body', async (sent) => {
    const body = randomBytes(90_001)
    const bytes = requestBytes(await signedRequest({ method: 'POST', body }))
    const before = stand.verdicts.length
    const socket = await openSocket(stand.port)
    socket.write(bytes.subarray(0, bytes.length - body.length + sent))
    // The gateway has to have the head in hand before the client goes.
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.destroy()
    while (stand.verdicts.length === before) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(stand.verdicts.at(-1)).toMatchObject({ ok: false, reason: 'message-malformed' })
  })

  it('does not use up the nonce of a request that broke off', async () => {
    const body = Buffer.from('the whole of it')
    const bytes = requestBytes(await signedRequest({ method: 'POST', body }))
    const before = stand.verdicts.length
    const socket = await openSocket(stand.port)
    socket.write(bytes.subarray(0, -3), () => socket.destroy())
    while (stand.verdicts.length === before) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await send(bytes)).status).toBe(200)
    stand.recorder.forget()
  })

  it('answers a bad signature before the body is sent, to a client that asks', async () => {
    const request = await signedRequest({ method: 'POST', body: randomBytes(50_000) })
    const bytes = requestBytes(request).toString('latin1')
    const head = bytes.slice(0, bytes.indexOf('\r\n\r\n')).replace('POST', 'PUT')
    const answer = await send(`${head}\r\nExpect: 100-continue\r\n\r\n`)
    expectVerdict(answer, 401, 'signature-mismatch')
    expect(answer.raw).not.toContain('100 Continue')
  })

  it('shows the answer to a client that is still sending', async () => {
    const request = await signedRequest({
      method: 'POST',
      body: randomBytes(60_000),
      credential: { ...testCredential, id: 'nobody' },
    })
    const socket = await openSocket(stand.port)
    const answer = readAnswer(socket)
    const bytes = requestBytes({ ...request, body: randomBytes(90_000) })
    socket.write(bytes.subarray(0, 20_000))
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.write(bytes.subarray(20_000))
    expect((await answer).status).toBe(401)
  })

  it('a covered digest that comes only as a trailer', async () => {
    const body = Buffer.from('with trailers')
    const request = await signedRequest({ method: 'POST', body })
    const fields = request.fields.filter(([name]) => name !== 'Content-Digest' && name !== 'content-digest')
    const digest = request.fields.find(([name]) => name.toLowerCase() === 'content-digest')?.[1]
    const bytes = requestBytes({ ...request, fields }, 'chunked').toString('latin1')
    const withTrailer = bytes.replace('0\r\n\r\n', `0\r\nContent-Digest: ${digest}\r\n\r\n`)
    expect(withTrailer).not.toBe(bytes)
    expectVerdict(await send(withTrailer), 401, 'component-missing')
  })

  it('leaves neither secrets nor signatures in the log', () => {
    expect(signatures.size).toBeGreaterThan(5)
    const text = JSON.stringify(stand.lines)
    expect(text).not.toContain(testSecret)
    for (const signature of signatures) expect(text).not.toContain(signature)
  })
})
