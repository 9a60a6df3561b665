import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../bytes/utf8.ts'
import { type RequestMessage, wireRequest } from '../../message/message.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { flaskHmacauth } from './flask-hmacauth.ts'
import type { FlaskHmacauthOptions } from './options.ts'

const now = 1_700_000_000
const secret = 'correct horse battery'
const plain = `TIMESTAMP=${now}&ACCOUNT_ID=admin`
const hmac = (text: string) => createHmac('sha1', secret).update(text).digest('hex')

interface Arriving {
  readonly method?: string
  readonly target: string
  readonly body?: string
  readonly type?: string
  /** The text under the signature that was captured. */
  readonly signed: string
}

function arriving({ method = 'GET', target, body, type = 'text/plain', signed }: Arriving): RequestMessage {
  return wireRequest({
    method,
    target,
    scheme: 'https',
    fields: ['Host', 'api.example.test', 'Content-Type', type, 'X-Auth-Signature', hmac(signed)],
    body: body === undefined || body === '' ? undefined : utf8Encode(body),
  })
}

function outcome(given: Arriving, options: FlaskHmacauthOptions = {}): string {
  const verifier = createVerifier({
    schemes: [flaskHmacauth(options)],
    credentials: (id) => (id === 'admin' ? { id, secret } : undefined),
    clock: () => now,
  })
  const verdict = verifier.verifySync(arriving(given))
  if (!verdict.ok) return verdict.reason
  return verdict.warnings.filter((warning) => !/^(host|weak)/.test(warning)).join(' ')
}

const strict = { strict: true }

describe('flaskHmacauth', () => {
  it('CA-41 warns of the method, which is not signed, and takes none that no client of the original sends', () => {
    const target = `/v1?${plain}`
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'OPTIONS', 'POST', 'PATCH']) {
      expect(outcome({ method, target, signed: target })).toBe('method-uncovered')
    }
    for (const method of ['QUERY', 'TRACE', 'get', 'LINK']) {
      expect(outcome({ method, target, signed: target })).toBe('coverage-missing')
    }
    expect(outcome({ method: 'DELETE', target, signed: target }, strict)).toBe('coverage-missing')
    expect(outcome({ method: 'DELETE', target, signed: target }, { methods: ['GET'] })).toBe(
      'coverage-missing',
    )
    expect(outcome({ method: 'QUERY', target, signed: target }, { methods: ['QUERY'] })).toBe(
      'method-uncovered',
    )
  })

  it('CA-42 2.20 warns of content that is not signed where clients send such, and refuses it elsewhere or if strict', () => {
    const target = `/v1?${plain}`
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const given = { method, target, signed: target, body: 'amount=1000' }
      expect(outcome(given)).toBe('method-uncovered content-uncovered')
      expect(outcome(given, { ...strict, methods: [method] })).toBe('coverage-missing')
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const given = { method, target, signed: target, body: 'amount=1000' }
      expect(outcome(given)).toBe('coverage-missing')
      expect(outcome(given, { compatible: ['unsigned-content'] })).toBe(
        'method-uncovered compatible content-uncovered',
      )
    }
  })

  it('2.20 signs a trailing question mark where there is no query', () => {
    const options = { keyId: 'admin', timestamp: () => now }
    expect(outcome({ target: '/v1', signed: '/v1?' }, options)).toBe('method-uncovered')
    expect(outcome({ target: '/v1', signed: '/v1' }, options)).toBe('signature-mismatch')
  })

  it.each([
    ['a parameter out of the body', `/t?${plain}&amount=1`, '', `/t?${plain}`, '&amount=1'],
    ['a parameter into the body', `/t?${plain}`, '&amount=1', `/t?${plain}&amount=1`, ''],
    ['half a value into the body', `/t?${plain}&amount=1`, '00', `/t?${plain}&amount=100`, ''],
    ['half a value in front of JSON', `/t?${plain}&amount=1`, '00{}', `/t?${plain}&amount=100`, '{}'],
    ['text into a value', `/t?${plain}&to=alicehello`, '', `/t?${plain}&to=alice`, 'hello'],
    [
      'a digit out of TIMESTAMP',
      `/t?ACCOUNT_ID=admin&TIMESTAMP=${now}`,
      '5',
      `/t?ACCOUNT_ID=admin&TIMESTAMP=${now}5`,
      '',
    ],
    [
      'a fraction out of TIMESTAMP',
      `/t?ACCOUNT_ID=admin&TIMESTAMP=${now}`,
      '.5',
      `/t?ACCOUNT_ID=admin&TIMESTAMP=${now}.5`,
      '',
    ],
  ])('CA-43 lets nobody move %s', (_, target, body, honestTarget, honestBody) => {
    const method = 'POST'
    const signed = target + body
    expect(signed).toBe(honestTarget + honestBody)
    const both = [
      outcome({ method, target, body, signed }),
      outcome({ method, target: honestTarget, body: honestBody, signed }),
    ]
    expect(both.filter((one) => one === 'method-uncovered').length).toBeLessThanOrEqual(1)
    const admitted = outcome({ method, target, body, signed }, { compatible: ['ambiguous-bodies'] })
    expect(admitted).toBe(body === '' ? 'method-uncovered' : 'method-uncovered compatible')
  })

  it('CA-43 takes every honest body', () => {
    const bodies = ['{"a":1}', '[1]', '"x"', '<a/>', 'hello world', 'a=1&b=2', '42', '\n', '', '\0', 'José']
    const queries = [plain, `ACCOUNT_ID=admin&TIMESTAMP=${now}`, `x=1&${plain}`]
    for (const query of queries) {
      for (const body of bodies) {
        const target = `/t?${query}`
        expect(outcome({ method: 'POST', target, body, signed: target + body })).toBe('method-uncovered')
      }
    }
    const target = `/t?${plain}&x=1`
    for (const body of ['{"a":1}', '[1]', '"x"', '<a/>', '']) {
      expect(outcome({ method: 'POST', target, body, signed: target + body })).toBe('method-uncovered')
    }
  })

  it('CA-43 of all ways to cut short requests into query and body takes at most one', () => {
    const time = `TIMESTAMP=${now}`
    const pieces = ['&', 'a', '=', '5', '.', 'e0', '+', '{', time, 'ACCOUNT_ID=admin']
    const cuts = [time, 'ACCOUNT_ID=admin'].flatMap((first) =>
      sequences(pieces, 3).map((rest) => `/t?${first}&${rest}`),
    )
    const inStatic = sequences(pieces, 3).map((rest) => `/t?${time}${rest}`)
    let several = 0
    let originals = 0
    let accepted = 0
    for (const [texts, options] of [
      [cuts, {}],
      [inStatic, { keyId: 'admin' }],
    ] as const) {
      const verifier = createVerifier({
        schemes: [flaskHmacauth(options)],
        credentials: (id) => (id === 'admin' ? { id, secret } : undefined),
        clock: () => now,
      })
      const loose = createVerifier({
        schemes: [flaskHmacauth({ ...options, compatible: ['ambiguous-bodies', 'repeated-parameters'] })],
        credentials: (id) => (id === 'admin' ? { id, secret } : undefined),
        clock: () => now,
      })
      for (const text of texts) {
        let taken = 0
        let takenByOriginal = 0
        const fields = ['Host', 'a', 'X-Auth-Signature', hmac(text)]
        // Shorter queries lack both parameters, or all but the last digit of the time.
        for (let at = 17; at <= text.length; at++) {
          const body = at === text.length ? undefined : utf8Encode(text.slice(at))
          const target = text.slice(0, at)
          const message = wireRequest({ method: 'POST', target, scheme: 'https', fields, body })
          if (verifier.verifySync(message).ok) taken++
          if (loose.verifySync(message).ok) takenByOriginal++
        }
        if (taken > 1) several++
        if (takenByOriginal > 1) originals++
        if (taken === 1) accepted++
      }
    }
    expect(several).toBe(0)
    // The search does find what the original lets through, and honest requests still pass.
    expect(originals).toBeGreaterThan(100)
    expect(accepted).toBeGreaterThan(300)
  })

  it('CA-44 refuses a form, signed without its content or with it', () => {
    const target = `/pay?${plain}`
    for (const type of ['application/x-www-form-urlencoded', 'Multipart/Form-Data; boundary=B']) {
      for (const signed of [target, `${target}amount=10`]) {
        expect(outcome({ method: 'POST', type, target, body: 'amount=10', signed })).toBe('coverage-missing')
      }
      expect(outcome({ method: 'POST', type, target, signed: target })).toBe('method-uncovered')
    }
  })

  it('CA-46 refuses ACCOUNT_ID or TIMESTAMP given twice, however it is spelled', () => {
    for (const query of [
      `TIMESTAMP=${now}&${plain}`,
      `${plain}&ACCOUNT_ID=admin`,
      `${plain}&TIMESTAMP=1`,
      `${plain}&ACCOUNT_ID`,
    ]) {
      expect(outcome({ target: `/?${query}`, signed: `/?${query}` })).toBe('component-missing')
    }
    const spelled = `/?${plain}&%54IMESTAMP=1`
    expect(outcome({ target: spelled, signed: `/?${plain}&TIMESTAMP=1` })).toBe('component-missing')
    const twin = `/?${plain}&timestamp=1`
    expect(outcome({ target: twin, signed: twin })).toBe('method-uncovered')
  })

  it('CA-47 takes an escaped letter for the letter, which is the same URI, unless strict', () => {
    const given = { target: `/?${plain}&foo=b%61r`, signed: `/?${plain}&foo=bar` }
    expect(outcome(given)).toBe('method-uncovered')
    expect(outcome(given, strict)).toBe('component-missing')
    expect(outcome({ target: given.signed, signed: given.signed }, strict)).toBe('method-uncovered')
    const decimal = `/?ACCOUNT_ID=admin&TIMESTAMP=${now}.0`
    expect(outcome({ target: decimal, signed: decimal }, strict)).toBe('signature-malformed')
  })

  it.each([
    ['/a/b', '/a%2fb', '', ''],
    ['/a/b', '//a/b', '', ''],
    ['/a', '/a;admin=1', '', ''],
    ['/a', '/a%3Badmin=1', '', ''],
    ['/x;a/b', '/x%3ba/b', '', ''],
    ['/a', '/a', '&v=1+2', '&v=1%2B2'],
    ['/a', '/a', '&v=1;2', '&v=1%3B2'],
    ['/100%25', '/100%', '', ''],
    ['/a', '/a', '&v=%25', '&v=%2%35'],
  ])('refuses the signature of %s on %s (%s, %s)', (path, other, query, otherQuery) => {
    const signed = `${path}?${plain}${query}`
    expect(outcome({ target: signed, signed })).toBe('method-uncovered')
    expect(outcome({ target: `${other}?${plain}${otherQuery}`, signed })).toBe('component-missing')
  })

  it('refuses two signature lines and one that is not lower-case hex of the right length', () => {
    const target = `/?${plain}`
    const message = arriving({ target, signed: target })
    const value = hmac(target)
    const verifier = createVerifier({
      schemes: [flaskHmacauth()],
      credentials: (id) => ({ id, secret }),
      clock: () => now,
    })
    const bad = [
      '',
      'zz',
      value.toUpperCase(),
      `${value}0`,
      value.slice(2),
      `${value}zz`,
      `${value.slice(0, -2)}é0`,
    ]
    for (const one of bad) {
      const fields = message.fields.with(-1, one)
      expect(verifier.verifySync({ ...message, fields })).toMatchObject({
        reason: 'signature-malformed',
        status: 403,
      })
    }
    const twice = { ...message, fields: [...message.fields, 'x-auth-signature', value] }
    expect(verifier.verifySync(twice)).toMatchObject({ reason: 'signature-malformed' })
  })

  it('reads long targets in time that grows with their length', () => {
    const hostile = [
      '&'.repeat(100_000),
      '%'.repeat(100_000),
      '%ff'.repeat(33_000),
      '%C3%A9'.repeat(16_000),
      'TIMESTAMP&'.repeat(10_000),
      `${plain}=`.repeat(3000),
    ]
    const before = performance.now()
    for (const query of hostile) outcome({ target: `/${'%41'.repeat(10_000)}?${plain}&${query}`, signed: '' })
    // A quadratic step would take minutes here; the whole takes a tenth of a second.
    expect(performance.now() - before).toBeLessThan(5000)
  })
})

/** Gives every text of up to `most` of the pieces. */
function sequences(pieces: readonly string[], most: number): readonly string[] {
  if (most === 0) return ['']
  return ['', ...pieces.flatMap((piece) => sequences(pieces, most - 1).map((rest) => piece + rest))]
}
