import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  requestBytes,
  type SignedInput,
  type SignedRequest,
  signedRequest,
  testCredential,
} from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes, type WireAnswer } from './proving/wire.ts'

const secret = 'shared by proxy and gateway'

describe.each(['x-original', 'x-forwarded'] as const)('forward-auth by %s fields', (family) => {
  let stand: Stand
  const [methodName, targetName] =
    family === 'x-original'
      ? ['X-Original-Method', 'X-Original-URI']
      : ['X-Forwarded-Method', 'X-Forwarded-Uri']
  beforeAll(async () => {
    stand = await startStand({
      env: { HOP_SECRET: secret },
      config: {
        schemes: ['rfc9421', 'ustudio-hmac'],
        routes: [
          { path: '/' },
          { path: '/invoices', forwardAuth: { body: 'absent' } },
          { path: '/absent', forwardAuth: { body: 'absent' } },
          { path: '/delete', rights: ['delete'], forwardAuth: { body: 'absent' } },
          { path: '/unchecked', forwardAuth: { body: 'unchecked' } },
          { path: '/observed', mode: 'observe', forwardAuth: { body: 'absent' } },
          { path: '/read-only', methods: ['GET'] },
        ],
        forwardAuth: { trustedHops: ['127.0.0.0/8'], secretEnv: 'HOP_SECRET', fields: family },
      },
    })
  })
  afterAll(() => stand.close())
  beforeEach(() => expect(stand.recorder.bytes).toBe(0))

  /** The question a proxy asks about a request: its fields, and what it says of it. */
  const question = (
    original: Pick<SignedRequest, 'method' | 'target' | 'fields'>,
    extra: readonly (readonly [string, string])[] = [],
    origin: readonly (readonly [string, string])[] = [
      ['X-Forwarded-Host', 'api.example.test'],
      ['X-Forwarded-Proto', 'http'],
    ],
  ) => ({
    method: 'GET',
    target: '/.countersign/auth',
    body: Buffer.alloc(0),
    fields: [
      ...original.fields.filter(([name]) => name.toLowerCase() !== 'content-length'),
      [methodName, original.method] as const,
      [targetName, original.target] as const,
      ['X-Countersign-Hop', secret] as const,
      ...origin,
      ...extra,
    ],
  })
  const ask = async (
    input: SignedInput,
    extra?: readonly (readonly [string, string])[],
    origin?: readonly (readonly [string, string])[],
  ): Promise<WireAnswer> =>
    sendBytes(stand.port, requestBytes(question(await signedRequest(input), extra, origin)))

  it('answers 204 with who called', async () => {
    const answer = await ask({ target: '/invoices?id=7' })
    expect([answer.status, stand.outcome()]).toEqual([204, 'ok'])
    expect(answer.raw).toContain('X-Countersign-Key: caller-1\r\n')
    expect(answer.raw).toContain('X-Countersign-Owner: Ada%20Lovelace\r\n')
    expect(answer.raw).toContain('X-Countersign-Rights: invoices:read,invoices:write\r\n')
    expect(answer.raw).toContain('X-Countersign-Scheme: rfc9421\r\n')
  })

  it('takes host and scheme as the proxy saw them', async () => {
    const input = { scheme: 'https', host: 'public.example.test' } as const
    const answer = await ask(
      input,
      [],
      [
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'public.example.test'],
      ],
    )
    expect(answer.status).toBe(204)
    expect([(await ask(input)).status, stand.outcome()]).toEqual([401, 'signature-mismatch'])
  })

  it.each([
    ['no host', [['X-Forwarded-Proto', 'http']]],
    ['no scheme', [['X-Forwarded-Host', 'api.example.test']]],
    ['neither', []],
    ['neither but in Forwarded', [['Forwarded', 'host=api.example.test;proto=http']]],
    [
      'an empty host',
      [
        ['X-Forwarded-Host', ''],
        ['X-Forwarded-Proto', 'http'],
      ],
    ],
    [
      'the host and that of the client',
      [
        ['X-Forwarded-Host', 'api.example.test'],
        ['X-Forwarded-Host', 'api.example.test'],
        ['X-Forwarded-Proto', 'http'],
      ],
    ],
    [
      'the scheme twice',
      [
        ['X-Forwarded-Host', 'api.example.test'],
        ['X-Forwarded-Proto', 'http'],
        ['X-Forwarded-Proto', 'http'],
      ],
    ],
  ] as const)('refuses a question whose proxy says %s of where the request went', async (_what, origin) => {
    const answer = await ask({}, [], origin)
    expect([answer.status, stand.outcome()]).toEqual([401, 'original-request-unknown'])
  })

  it('is found where the proxy puts the query of the request behind its path', async () => {
    const asked = { ...question(await signedRequest()), target: '/.countersign/auth?id=7' }
    const answer = await sendBytes(stand.port, requestBytes(asked))
    expect([answer.status, stand.outcome()]).toEqual([204, 'ok'])
    const beside = { ...question(await signedRequest()), target: '/.countersign/authority' }
    expect((await sendBytes(stand.port, requestBytes(beside))).status).toBe(404)
  })

  it.each([
    ['another method', (one: SignedRequest) => ({ ...one, method: 'DELETE' }), 401, 'signature-mismatch'],
    [
      'another target',
      (one: SignedRequest) => ({ ...one, target: '/invoices?id=8' }),
      401,
      'signature-mismatch',
    ],
    [
      'an ambiguous target',
      (one: SignedRequest) => ({ ...one, target: '/a/../b' }),
      401,
      'original-request-unknown',
    ],
    [
      'a hidden route',
      (one: SignedRequest) => ({ ...one, target: '/%64elete' }),
      401,
      'original-request-unknown',
    ],
    [
      'an absolute target',
      (one: SignedRequest) => ({ ...one, target: 'http://api.example.test/x' }),
      401,
      'original-request-unknown',
    ],
    [
      'a list of targets',
      (one: SignedRequest) => ({ ...one, target: '/x, /y' }),
      401,
      'original-request-unknown',
    ],
    [
      'a method that is none',
      (one: SignedRequest) => ({ ...one, method: 'GET, POST' }),
      401,
      'original-request-unknown',
    ],
    [
      'a method the route does not serve',
      (one: SignedRequest) => ({ ...one, method: 'PUT', target: '/read-only' }),
      403,
      'route-denied',
    ],
    [
      'no signature',
      (one: SignedRequest) => ({ ...one, fields: one.fields.slice(0, 1) }),
      401,
      'signature-absent',
    ],
    [
      'two hosts',
      (one: SignedRequest) => ({ ...one, fields: [...one.fields, ['Host', 'b.test'] as const] }),
      401,
      'original-request-unknown',
    ],
  ])('refuses %s', async (_what, change, status, outcome) => {
    const answer = await sendBytes(stand.port, requestBytes(question(change(await signedRequest()))))
    expect([answer.status, stand.outcome()]).toEqual([status, outcome])
  })

  it.each([
    ['two methods', [[methodName, 'GET']]],
    ['two targets', [[targetName, '/invoices?id=7']]],
    [
      'the fields of the other family',
      [[family === 'x-original' ? 'X-Forwarded-Uri' : 'X-Original-URI', '/invoices?id=7']],
    ],
    [
      'two hosts forwarded',
      [
        ['X-Forwarded-Host', 'api.example.test'],
        ['X-Forwarded-Host', 'api.example.test'],
      ],
    ],
    ['two secrets', [['X-Countersign-Hop', secret]]],
  ] as const)('refuses %s', async (_what, extra) => {
    expect((await ask({}, extra)).status).toBe(401)
    expect(['original-request-unknown', 'hop-untrusted']).toContain(stand.outcome())
  })

  it.each([methodName, targetName])('refuses where %s is missing', async (name) => {
    const asked = question(await signedRequest())
    const fields = asked.fields.filter(([given]) => given !== name)
    const answer = await sendBytes(stand.port, requestBytes({ ...asked, fields }))
    expect([answer.status, stand.outcome()]).toEqual([401, 'original-request-unknown'])
  })

  it.each(['', 'wrong', secret.slice(1)])(
    'refuses whoever does not know the secret ("%s")',
    async (given) => {
      const asked = question(await signedRequest())
      const fields = asked.fields.filter(([name]) => name !== 'X-Countersign-Hop')
      const shown = given === '' ? [] : [['X-Countersign-Hop', given] as const]
      const answer = await sendBytes(stand.port, requestBytes({ ...asked, fields: [...fields, ...shown] }))
      expect([answer.status, stand.outcome()]).toEqual([401, 'hop-untrusted'])
      expect(JSON.stringify(stand.lines)).not.toContain(secret)
    },
  )

  it('answers 403 where a right is lacking', async () => {
    expect((await ask({ target: '/delete/1' })).status).toBe(403)
  })

  it('lets pass without identity what an observed route would refuse', async () => {
    const wrong = {
      target: '/observed',
      credential: { ...testCredential, secret: 'not the secret of this caller' },
    }
    const answer = await ask(wrong)
    expect([answer.status, stand.outcome()]).toEqual([204, 'signature-mismatch'])
    expect(answer.raw).not.toMatch(/x-countersign/i)
  })

  it('refuses content that it does not see, unless the route takes it unchecked', async () => {
    const body = Buffer.from('{"a":1}')
    const refused = await ask({ method: 'POST', body })
    expect([refused.status, stand.outcome()]).toEqual([401, 'content-unseen'])
    const unchecked = await ask({ method: 'POST', target: '/unchecked', body })
    expect([unchecked.status, stand.outcome()]).toEqual([204, 'ok'])
    const undigested = await ask({ method: 'POST', target: '/unchecked' })
    expect([undigested.status, stand.outcome()]).toEqual([401, 'digest-missing'])
    const typed = await ask({ fields: [['Content-Type', 'text/plain']] })
    expect([typed.status, stand.outcome()]).toEqual([401, 'content-unseen'])
  })

  it('compares content that the proxy passes along', async () => {
    const body = randomBytes(3000)
    const original = await signedRequest({ method: 'POST', body })
    const good = await sendBytes(stand.port, requestBytes({ ...question(original), method: 'POST', body }))
    expect([good.status, stand.outcome()]).toEqual([204, 'ok'])
    const again = await signedRequest({ method: 'POST', body })
    const bad = await sendBytes(
      stand.port,
      requestBytes({ ...question(again), method: 'POST', body: randomBytes(3000) }),
    )
    expect([bad.status, stand.outcome()]).toEqual([401, 'digest-mismatch'])
  })

  const say = (...said: readonly (readonly [what: string, value: string])[]) =>
    said.map(([what, value]) => [`${methodName.replace('Method', '')}${what}`, value] as const)

  it.each(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST'])(
    'does not take a %s for one without content unless the proxy or the route says so',
    async (method) => {
      const judged = async (target: string, extra: readonly (readonly [string, string])[]) => {
        const answer = await ask({ method, target }, extra)
        return [answer.status, stand.outcome()]
      }
      const passes = [204, 'ok']
      const unseen = [401, 'content-unseen']
      expect(await judged('/', [])).toEqual(unseen)
      expect(await judged('/', [['Content-Length', '0']])).toEqual(unseen)
      expect(await judged('/absent', [])).toEqual(passes)
      expect(await judged('/unchecked', [])).toEqual([401, 'digest-missing'])
      for (const target of ['/', '/absent']) {
        const http1 = ['Protocol', 'HTTP/1.1'] as const
        expect(await judged(target, say(http1, ['Content-Length', '7']))).toEqual(unseen)
        expect(await judged(target, say(http1, ['Transfer-Encoding', 'chunked']))).toEqual(unseen)
        const both = say(http1, ['Content-Length', '0'], ['Transfer-Encoding', 'chunked'])
        expect(await judged(target, both)).toEqual(unseen)
        expect(await judged(target, say(http1, ['Content-Length', '0'], ['Content-Length', '7']))).toEqual(
          unseen,
        )
        expect(await judged(target, [...say(), ['Content-Type', 'text/plain']])).toEqual(unseen)
      }
      // What a proxy does not set, its client may; nginx sets the protocol, always.
      const told = family === 'x-original' ? passes : unseen
      expect(await judged('/', say(['Protocol', 'HTTP/1.1']))).toEqual(told)
      expect(await judged('/', say(['Protocol', 'HTTP/1.1'], ['Content-Length', '0']))).toEqual(told)
      expect(await judged('/', say(['Protocol', 'HTTP/2.0'], ['Content-Length', '0']))).toEqual(told)
      expect(await judged('/', say(['Protocol', 'HTTP/2.0']))).toEqual(unseen)
      expect(await judged('/', say(['Protocol', 'HTTP/1.1'], ['Protocol', 'HTTP/1.1']))).toEqual(unseen)
      expect(await judged('/', say(['Content-Length', '0']))).toEqual(unseen)
    },
  )
})

describe('the forward-auth path', () => {
  it('judges nothing for peers that are not trusted hops', async () => {
    const config = { forwardAuth: { trustedHops: ['10.0.0.0/8'], fields: 'x-original' } }
    const stand = await startStand({ config })
    const { fields, method, target } = await signedRequest()
    const asked = [...fields, ['X-Original-Method', method], ['X-Original-URI', target]] as const
    const answer = await sendBytes(
      stand.port,
      requestBytes({ method: 'GET', target: '/.countersign/auth', fields: asked, body: Buffer.alloc(0) }),
    )
    expect([answer.status, stand.outcome(), stand.verdicts]).toEqual([401, 'hop-untrusted', []])
    await stand.close()
  })
})
