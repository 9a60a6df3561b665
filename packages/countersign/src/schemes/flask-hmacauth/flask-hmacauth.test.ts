import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../bytes/utf8.ts'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, requestMessage, responseMessage, wireRequest } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import type { Policy } from '../../policy/policy.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { createSigner } from '../../signer/signer.ts'
import { memoryCredentials, memoryNonces } from '../../stores/memory.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier, type VerifierOptions } from '../../verifier/verifier.ts'
import { flaskHmacauth } from './flask-hmacauth.ts'
import type { FlaskHmacauthOptions } from './options.ts'

const now = 1_700_000_000
const admin: Credential = { id: 'admin', secret: 'correct horse battery', rights: ['create', 'view'] }
const headers = { Host: 'api.example.test' }
const plain = `TIMESTAMP=${now}&ACCOUNT_ID=admin`

const hmac = (text: string, digest = 'sha1') =>
  createHmac(digest, 'correct horse battery').update(text).digest('hex')

interface Sent {
  readonly method?: string
  readonly type?: string
  readonly body?: string
}

/** A request with the signature of some text, as anybody who holds the secret could send it. */
function sent(
  target: string,
  signed: string,
  { method = 'GET', type = 'text/plain', body }: Sent = {},
): RequestMessage {
  const fields = ['Host', 'api.example.test', 'Content-Type', type, 'X-Auth-Signature', hmac(signed)]
  return wireRequest({
    method,
    target,
    scheme: 'https',
    fields,
    body: body === undefined || body === '' ? undefined : utf8Encode(body),
  })
}

function judge(
  message: RequestMessage,
  options: FlaskHmacauthOptions = {},
  more: Partial<VerifierOptions> = {},
): Verdict {
  return createVerifier({
    schemes: [flaskHmacauth(options)],
    credentials: (keyId) => (keyId === 'admin' ? admin : undefined),
    clock: () => now,
    ...more,
  }).verifySync(message)
}

function outcome(message: RequestMessage, options?: FlaskHmacauthOptions, policy: Policy = {}): string {
  const verdict = judge(message, options, { policy })
  return verdict.ok ? 'ok' : verdict.reason
}

function signed(
  message: RequestMessage,
  options: FlaskHmacauthOptions = {},
  at: number = now,
): RequestMessage {
  const signer = createSigner({ scheme: flaskHmacauth(options), credential: admin, clock: () => at })
  return applyPatch(message, signer.signSync(message))
}

const get = (url: string) => requestMessage({ url, headers })
const post = (url: string, body: string) => requestMessage({ method: 'POST', url, headers, body })

describe('flaskHmacauth signs', () => {
  it('2.01 2.04 the path and all parameters of a GET, with TIMESTAMP and ACCOUNT_ID behind them', () => {
    const message = signed(get('/v1/create?foo=bar'))
    const query = `foo=bar&TIMESTAMP=${now}&ACCOUNT_ID=admin`
    expect(message.target).toBe(`/v1/create?${query}`)
    expect(message.fields.slice(-2)).toEqual(['X-Auth-Signature', hmac(`/v1/create?${query}`)])
    expect(signed(get('/v1/create')).target).toBe(`/v1/create?${plain}`)
  })

  it('2.02 the body of a POST right behind the query', () => {
    const message = signed(post('/v1/create', '{"name":"José"}'))
    expect(message.fields.at(-1)).toBe(hmac(`/v1/create?${plain}{"name":"José"}`))
  })

  it('with the parameters that a request has already, of its own account alone', () => {
    const own = `/v1?ACCOUNT_ID=admin&a=1&TIMESTAMP=${now - 2}`
    expect(signed(get(own)).target).toBe(own)
    expect(signed(get('/v1?ACCOUNT_ID=admin')).target).toBe(`/v1?ACCOUNT_ID=admin&TIMESTAMP=${now}`)
    expect(() => signed(get('/v1?ACCOUNT_ID=other'))).toThrow(/another account/)
  })

  it('account ids with punctuation, but none that the query cannot carry as it is', () => {
    const id = "team/a&b = !$'()*,;:@[x]%41"
    const credential = { ...admin, id }
    const signer = createSigner({ scheme: flaskHmacauth(), credential, clock: () => now })
    const message = applyPatch(get('/'), signer.signSync(get('/')))
    expect(judge(message, {}, { credentials: memoryCredentials([credential]) })).toMatchObject({ ok: true })
    for (const bad of ['a+b', 'é', '', 'a\n', 'a'.repeat(257)]) {
      const misnamed = createSigner({ scheme: flaskHmacauth(), credential: { ...admin, id: bad } })
      expect(() => misnamed.signSync(get('/'))).toThrow(/^credential id: /)
    }
  })

  it('no response', () => {
    const signer = createSigner({ scheme: flaskHmacauth(), credential: admin })
    expect(() => signer.signSync(responseMessage({ status: 200 }) as never)).toThrow(CountersignError) // wrong on purpose
  })

  it('whatever it is given, so that it verifies, or refuses to sign', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        '=',
        '&',
        '%2F',
        '%2B',
        '%3B',
        '%7e',
        '%',
        '%2',
        '+',
        ';',
        '?',
        '/',
        '//',
        '%C3%AB',
        '%ff',
        '[',
        '"',
        '%00',
      ),
      fc.stringMatching(/^[!$-;=?-[\]-~]*$/),
    )
    const target = fc.array(piece).map((pieces) => `/${pieces.join('')}`)
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE')
    const body = fc.option(fc.uint8Array(), { nil: undefined })
    let made = 0
    fc.assert(
      fc.property(method, target, body, (method, target, body) => {
        const message = wireRequest({ method, target, scheme: 'https', fields: ['Host', 'a'], body })
        let arrived: RequestMessage
        try {
          arrived = signed(message)
        } catch (failure) {
          expect(failure).toMatchObject({ code: 'component-unavailable' })
          return
        }
        made++
        expect(judge(arrived)).toMatchObject({ ok: true })
      }),
      { numRuns: 1000 },
    )
    expect(made).toBeGreaterThan(200)
  })
})

describe('flaskHmacauth takes', () => {
  const form = `TIMESTAMP=${now}&ACCOUNT_ID=admin&amount=10`
  const inForm = (body: string, type = 'application/x-www-form-urlencoded') =>
    sent('/pay', '/pay?', { method: 'POST', type, body })

  it('2.04 CA-45 ACCOUNT_ID and TIMESTAMP from a form only where told to, and warns that they are not signed', async () => {
    expect(outcome(inForm(form))).toBe('created-missing')
    const compatible = ['form-parameters'] as const
    expect(judge(inForm(form), { compatible })).toMatchObject({
      ok: true,
      warnings: [
        'host-uncovered',
        'method-uncovered',
        'compatible',
        'content-uncovered',
        'replayable',
        'weak-algorithm',
      ],
    })
    expect(outcome(inForm(form, 'multipart/form-data; boundary=B'), { compatible })).toBe('created-missing')
    expect(outcome(inForm('amount=10'), { compatible })).toBe('created-missing')
    expect(outcome(inForm(form), { compatible }, { digest: 'required' })).toBe('digest-missing')
    const late: RequestMessage = {
      ...inForm(form),
      body: { kind: 'body-source', bytes: async () => utf8Encode(form) },
    }
    const verifier = createVerifier({
      schemes: [flaskHmacauth({ compatible })],
      credentials: () => admin,
      clock: () => now,
    })
    expect(await verifier.verify(late)).toMatchObject({ ok: true })
    expect(outcome(inForm(form), { compatible }, { limitBytes: 5 })).toBe('body-too-large')
  })

  it('2.05 key id, signature and time from where functions find them', () => {
    const options: FlaskHmacauthOptions = {
      keyId: ({ parts }) => new URLSearchParams(parts.query).get('who') ?? undefined,
      timestamp: ({ parts }) => new URLSearchParams(parts.query).get('when') ?? undefined,
      signature: ({ fields }) => fields[fields.indexOf('X-Sig') + 1],
    }
    const target = `/v1?who=admin&when=${now}.5`
    const message = requestMessage({ url: target, headers: { ...headers, 'X-Sig': hmac(target) } })
    expect(judge(message, options)).toMatchObject({ ok: true, claim: { keyId: 'admin', createdAt: now } })
    expect(outcome(message, { ...options, timestamp: () => now - 6 })).toBe('created-stale')
    expect(outcome(message, { ...options, timestamp: () => Number.NaN })).toBe('signature-malformed')
    expect(outcome(message, { ...options, timestamp: () => undefined })).toBe('created-missing')
    expect(outcome(message, { ...options, signature: () => undefined })).toBe('signature-absent')
    const failing = () => {
      throw new Error('unexpected')
    }
    for (const hook of ['keyId', 'signature', 'timestamp']) {
      expect(outcome(message, { ...options, [hook]: failing })).toBe('signature-malformed')
    }
  })

  it('2.05 2.13 one id for all, where nobody names an account', () => {
    const message = signed(post(`/v1?a=1`, '{}'), { keyId: 'admin' })
    expect(message.target).toBe(`/v1?a=1&TIMESTAMP=${now}`)
    expect(outcome(message, { keyId: 'admin' })).toBe('ok')
    expect(outcome(message)).toBe('signature-malformed')
  })

  it('2.06 2.21 a TIMESTAMP of up to 5 seconds back and ahead, or as many as it is told', () => {
    const at = (offset: number, options: FlaskHmacauthOptions = {}, policy: Policy = {}) =>
      outcome(signed(get('/'), {}, now + offset), options, policy)
    expect([at(-5), at(5), at(-6), at(6)]).toEqual(['ok', 'ok', 'created-stale', 'created-in-future'])
    expect([at(-20, { validSeconds: 20 }), at(-21, { validSeconds: 20 })]).toEqual(['ok', 'created-stale'])
    expect([at(0, { validSeconds: 0 }), at(-1, { validSeconds: 0 })]).toEqual(['ok', 'created-stale'])
    expect([at(-60, {}, { maxAgeSeconds: 60 }), at(1, {}, { skewSeconds: 0 })]).toEqual([
      'ok',
      'created-in-future',
    ])
  })

  it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)('2.07 %s', (digest) => {
    const message = signed(get('/v1'), { digest })
    expect(message.fields.at(-1)).toBe(hmac(`/v1?${plain}`, digest))
    const verdict = judge(message, { digest })
    expect(verdict.ok && verdict.warnings.includes('weak-algorithm')).toBe(digest === 'sha1')
    expect(outcome(message, { digest: digest === 'sha1' ? 'sha256' : 'sha1' })).toBe('signature-malformed')
  })

  const times: readonly (readonly [text: string, expected: string])[] = [
    ['1700000000', 'ok'],
    ['1700000000.999999', 'ok'],
    ['1700000000.', 'ok'],
    ['0001700000000', 'ok'],
    ['17e8', 'ok'],
    ['170000000000e-2', 'ok'],
    ['+1700000000+', 'ok'],
    ['%2B1700000000', 'component-missing'],
    ['1700000004.999', 'ok'],
    ['1699999994.999', 'created-stale'],
    ['1699999995', 'ok'],
    ['0', 'created-stale'],
    ['5e-99', 'created-stale'],
    ['1700000000000', 'signature-malformed'],
    ['999999999999', 'created-in-future'],
    ...[
      '',
      '-1700000000',
      'nan',
      'NaN',
      'inf',
      '1e400',
      '1e30',
      '0x6553f100',
      '1_700_000_000',
      '.5',
      '1,7e9',
      '%D9%A1',
    ].map((text) => [text, 'signature-malformed'] as const),
    ['9'.repeat(100_000), 'signature-malformed'],
    ['1e', 'signature-malformed'],
    ['1700000000%00', 'signature-malformed'],
  ]
  it.each(times)('2.08 or not the TIMESTAMP %.40s', (text, expected) => {
    const target = `/v1?ACCOUNT_ID=admin&TIMESTAMP=${text}`
    expect(outcome(sent(target, target.replace('%2B', '+')))).toBe(expected)
  })

  it('2.09 its own status for every refusal, without a challenge', () => {
    for (const message of [get('/'), sent(`/?${plain}`, 'else'), sent('/', '/?')]) {
      expect(judge(message)).toMatchObject({ ok: false, status: 403, headers: [] })
    }
  })

  it('2.10 2.11 2.12 accounts from a store that changes, active ones with all rights asked for', () => {
    const store = memoryCredentials([admin])
    const verifier = createVerifier({ schemes: [flaskHmacauth()], credentials: store, clock: () => now })
    const message = signed(get('/v1'))
    const reason = (rights: readonly string[] = []) => {
      const verdict = verifier.verifySync(message, { rights })
      return verdict.ok ? 'ok' : verdict.reason
    }
    expect([reason(), reason(['view', 'create']), reason(['view', 'root'])]).toEqual([
      'ok',
      'ok',
      'right-missing',
    ])
    store.add({ ...admin, active: false })
    expect(reason()).toBe('credential-inactive')
    store.remove('admin')
    expect(reason()).toBe('credential-unknown')
  })

  it('2.17 time before account before activity before signature before rights, and tells outsiders no more than the status', () => {
    const old = `TIMESTAMP=${now - 6}`
    const dead = (): Credential => ({ ...admin, active: false })
    const right = { rights: ['root'] }
    const of = (message: RequestMessage, find: () => Credential | undefined, rights = right) => {
      const verifier = createVerifier({ schemes: [flaskHmacauth()], credentials: find, clock: () => now })
      const verdict = verifier.verifySync(message, rights)
      return verdict.ok ? 'ok' : `${verdict.reason} ${verdict.status}`
    }
    expect([
      of(sent(`/?${old}&ACCOUNT_ID=x`, 'wrong'), () => undefined),
      of(sent(`/?${plain}`, 'wrong'), () => undefined),
      of(sent(`/?${plain}`, 'wrong'), dead),
      of(sent(`/?${plain}`, 'wrong'), () => admin),
      of(sent(`/?${plain}`, `/?${plain}`), () => admin),
    ]).toEqual([
      'created-stale 403',
      'credential-unknown 403',
      'credential-inactive 403',
      'signature-mismatch 403',
      'right-missing 403',
    ])
  })

  it('2.22 the same request again within the window, unless told that each is to be used once', () => {
    const twice = (options: FlaskHmacauthOptions): string[] => {
      const clock = () => now
      const nonces = memoryNonces({ clock })
      const verifier = createVerifier({
        schemes: [flaskHmacauth(options)],
        credentials: () => admin,
        nonces,
        clock,
      })
      return [signed(get('/')), signed(get('/')), { ...signed(get('/')), method: 'DELETE' }].map(
        (message) => {
          const verdict = verifier.verifySync(message)
          return verdict.ok ? 'ok' : verdict.reason
        },
      )
    }
    expect(twice({})).toEqual(['ok', 'ok', 'ok'])
    expect(twice({ singleUse: true })).toEqual(['ok', 'replayed', 'replayed'])
  })

  it('a request of an absolute target, but none without a path', () => {
    const absolute = {
      ...sent(`/v1?${plain}`, `/v1?${plain}`),
      target: `https://api.example.test/v1?${plain}`,
    }
    expect(outcome(wireRequest(absolute))).toBe('ok')
    const { fields } = sent('/', '*?')
    const asterisk = wireRequest({ method: 'OPTIONS', target: '*', scheme: 'https', fields, body: undefined })
    expect(outcome(asterisk, { keyId: 'admin', timestamp: () => now })).toBe('component-missing')
  })

  it('no unknown option', () => {
    const bad: readonly object[] = [
      { digest: 'md5' },
      { validSeconds: -1 },
      { validSeconds: 1.5 },
      { signatureHeader: 'a b' },
      { methods: ['G T'] },
      { compatible: ['everything'] },
      { strict: true, compatible: ['unsigned-forms'] },
      { keyId: '' },
    ]
    for (const options of bad)
      expect(() => flaskHmacauth(options)).toThrow(/^flaskHmacauth [a-zA-Z]+: expected /)
  })

  it('nothing that makes it throw', () => {
    const scheme = flaskHmacauth({ compatible: ['form-parameters', 'path-parameters', 'leading-slashes'] })
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), fc.string(), (path, query, value) => {
        const fields = ['Host', 'a', 'X-Auth-Signature', value]
        const message = wireRequest({
          method: 'POST',
          target: `${path}?${query}`,
          scheme: 'https',
          fields,
          body: undefined,
        })
        const read = scheme.read(message)
        expect(read === undefined || isRefusal(read) || Array.isArray(read)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})
