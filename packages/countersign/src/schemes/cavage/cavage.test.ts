import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, requestMessage, wireRequest } from '../../message/message.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { rfc9421 } from '../rfc9421/rfc9421.ts'
import { cavage } from './cavage.ts'
import type { CavageOptions } from './options.ts'

const now = 1_700_000_000
const date = 'Tue, 14 Nov 2023 22:13:20 GMT'
const secret = 'correct horse battery'
const credential: Credential = { id: 'k1', secret }
const body = '{"amount":1}'
const digestOf = (text: string): string => `SHA-256=${createHash('sha256').update(text).digest('base64')}`

interface Given {
  readonly method?: string
  readonly target?: string
  /** Besides Host and Date. */
  readonly fields?: readonly string[]
  readonly date?: string
  readonly body?: string
  /** Names and values of the signing string. Default: target, host, date, and with content its digest. */
  readonly lines?: readonly (readonly [string, string])[]
  /** Parameters in front of the list and the signature. */
  readonly parameters?: string
  readonly list?: string
}

/** Signs without the library, whatever is asked for. */
function signed(given: Given = {}): RequestMessage {
  const { method = 'GET', target = '/orders?a=1', fields = [], body } = given
  const digest = body === undefined ? [] : [['digest', digestOf(body)] as const]
  const lines = given.lines ?? [
    ['(request-target)', `${method.toLowerCase()} ${target}`],
    ['host', 'api.example.com'],
    ['date', given.date ?? date],
    ...digest,
  ]
  const text = lines.map(([name, value]) => `${name}: ${value}`).join('\n')
  const signature = createHmac('sha256', secret).update(text).digest('base64')
  const list = given.list ?? `headers="${lines.map(([name]) => name).join(' ')}",`
  const parameters = given.parameters ?? 'keyId="k1",algorithm="hmac-sha256",'
  const authorization = `Signature ${parameters}${list}signature="${signature}"`
  return requestMessage({
    method,
    url: target,
    headers: [
      'Host',
      'api.example.com',
      'Date',
      given.date ?? date,
      ...(body === undefined ? [] : ['Digest', digestOf(body)]),
      ...fields,
      'Authorization',
      authorization,
    ],
    body,
  })
}

interface Circumstances {
  readonly credential?: Credential
  readonly policy?: Policy
}

function judged(message: RequestMessage, options: CavageOptions = {}, given: Circumstances = {}): Verdict {
  const known = given.credential ?? credential
  return createVerifier({
    schemes: [cavage(options)],
    credentials: (keyId) => (keyId === known.id ? known : undefined),
    clock: () => now,
    ...(given.policy === undefined ? {} : { policy: given.policy }),
  }).verifySync(message)
}

const reasonOf = (verdict: Verdict): string => (verdict.ok ? 'ok' : verdict.reason)
const withFields = (
  message: RequestMessage,
  change: (fields: string[]) => readonly string[],
): RequestMessage => wireRequest({ ...message, fields: change([...message.fields]) })
const authorization = (value: string): RequestMessage =>
  requestMessage({ url: '/', headers: { Host: 'api.example.com', Date: date, Authorization: value } })

describe('cavage covers', () => {
  it('PO-01 PO-02 PO-03 PO-04 no less than target, host and a time', () => {
    const line = {
      target: ['(request-target)', 'get /orders?a=1'],
      host: ['host', 'api.example.com'],
      date: ['date', date],
    } as const
    expect(reasonOf(judged(signed()))).toBe('ok')
    expect(reasonOf(judged(signed({ lines: [line.host, line.date] })))).toBe('coverage-missing')
    expect(reasonOf(judged(signed({ lines: [line.target, line.date] })))).toBe('coverage-missing')
    expect(reasonOf(judged(signed({ lines: [line.target, line.host] })))).toBe('created-missing')
    expect(reasonOf(judged(signed({ list: 'headers="",' })))).toBe('signature-malformed')
  })

  it('PO-05 PO-06 PO-12 content by a digest in the list, on every method', () => {
    for (const method of ['POST', 'GET', 'DELETE', 'QUERY']) {
      const uncovered = signed({
        method,
        lines: [
          ['(request-target)', `${method.toLowerCase()} /orders?a=1`],
          ['host', 'api.example.com'],
          ['date', date],
        ],
        body,
      })
      const bare = withFields(uncovered, (fields) => fields.toSpliced(fields.indexOf('Digest'), 2))
      expect(reasonOf(judged(bare))).toBe('digest-missing')
      expect(reasonOf(judged(uncovered))).toBe('digest-missing')
      expect(reasonOf(judged(signed({ method, body })))).toBe('ok')
    }
  })

  it('PO-07 PO-13 5.16 the very bytes of the content', () => {
    const message = signed({ method: 'POST', body })
    for (const other of ['{"amount":2}', `${body}\n`, body.slice(1), undefined]) {
      const bytes = other === undefined ? undefined : new TextEncoder().encode(other)
      expect(reasonOf(judged(wireRequest({ ...message, body: bytes })))).toBe('digest-mismatch')
    }
    const empty = signed({ method: 'POST', body: '' })
    expect(reasonOf(judged(empty))).toBe('ok')
    expect(reasonOf(judged(wireRequest({ ...empty, body: Uint8Array.of(1) })))).toBe('digest-mismatch')
  })

  it('PO-08 PO-09 5.15 with SHA-256 or SHA-512, all of them that are there', () => {
    const post = (digest: string): RequestMessage => {
      const message = signed({
        method: 'POST',
        body,
        lines: [
          ['(request-target)', 'post /orders?a=1'],
          ['host', 'api.example.com'],
          ['date', date],
          ['digest', digest],
        ],
      })
      return withFields(message, (fields) => fields.with(fields.indexOf('Digest') + 1, digest))
    }
    const sha512 = `SHA-512=${createHash('sha512').update(body).digest('base64')}`
    const sha1 = `SHA=${createHash('sha1').update(body).digest('base64')}`
    const md5 = `MD5=${createHash('md5').update(body).digest('base64')}`
    expect(reasonOf(judged(post(sha512)))).toBe('ok')
    expect(reasonOf(judged(post(`${sha512}, ${digestOf(body)}`)))).toBe('ok')
    expect(reasonOf(judged(post(`${sha512},${digestOf('x')}`)))).toBe('digest-mismatch')
    for (const weak of [sha1, md5, 'UNIXsum=1', `${sha1},${md5}`])
      expect(reasonOf(judged(post(weak)))).toBe('digest-unsupported')
    expect(judged(post(sha1), { compatible: ['sha1-digest'] })).toMatchObject({
      ok: true,
      warnings: ['compatible', 'weak-algorithm'],
    })
    expect(judged(post(`${md5},${sha512}`), { compatible: ['md5-digest'] })).toMatchObject({
      ok: true,
      warnings: [],
    })
    expect(reasonOf(judged(post(`${md5},${digestOf('x')}`), { compatible: ['md5-digest'] }))).toBe(
      'digest-mismatch',
    )
  })

  it('PO-11 Content-Digest as well, where the list has it', () => {
    const contentDigest = (text: string): string => `sha-256=:${digestOf(text).slice(8)}:`
    const both = (value: string): RequestMessage =>
      signed({
        method: 'POST',
        body,
        fields: ['Content-Digest', value],
        lines: [
          ['(request-target)', 'post /orders?a=1'],
          ['host', 'api.example.com'],
          ['date', date],
          ['digest', digestOf(body)],
          ['content-digest', value],
        ],
      })
    expect(reasonOf(judged(both(contentDigest(body))))).toBe('ok')
    expect(reasonOf(judged(both(contentDigest('x'))))).toBe('digest-mismatch')
  })

  it('what the policy names in identifiers of RFC 9421', () => {
    for (const covers of [
      ['@method'],
      ['@path', '@query'],
      ['@request-target'],
      ['@authority'],
      ['host', 'date'],
      ['@target-uri'],
      ['content-digest'],
      ['digest'],
    ]) {
      expect(
        reasonOf(judged(signed({ method: 'POST', body }), {}, { policy: { covers } })),
        covers.join(),
      ).toBe('ok')
    }
    for (const covers of [['x-tenant'], ['@scheme'], ['content-type']]) {
      expect(reasonOf(judged(signed(), {}, { policy: { covers } })), covers.join()).toBe('coverage-missing')
    }
    expect(reasonOf(judged(signed(), {}, { policy: { covers: ['content-digest'] } }))).toBe(
      'coverage-missing',
    )
  })

  it('PO-28 the host that was called', () => {
    const { scheme, method, target, fields, body } = signed()
    const called = (host: string, authority?: string): RequestMessage =>
      wireRequest({
        scheme,
        method,
        target,
        fields: host === '' ? fields.slice(2) : fields.with(1, host),
        body,
        ...(authority === undefined ? {} : { authority }),
      })
    expect(reasonOf(judged(called('api.example.com')))).toBe('ok')
    expect(reasonOf(judged(called('other.example.com')))).toBe('signature-mismatch')
    // HTTP/2 says it in :authority, and need not send Host.
    expect(reasonOf(judged(called('', 'api.example.com')))).toBe('ok')
    expect(reasonOf(judged(called('', 'other.example.com')))).toBe('signature-mismatch')
  })

  it('CA-33 an absolute target with its path and query, and CA-26 methods in upper case only', () => {
    const absolute = wireRequest({ ...signed(), scheme: 'http', target: 'http://api.example.com/orders?a=1' })
    expect(reasonOf(judged(absolute))).toBe('ok')
    expect(reasonOf(judged(wireRequest({ ...signed(), method: 'get' })))).toBe('component-missing')
    expect(reasonOf(judged(wireRequest({ ...signed(), method: 'gET' })))).toBe('component-missing')
  })

  it('CA-09 CA-10 CA-11 repeated fields joined in order, and no second line of what has one value', () => {
    const lines = [
      ['(request-target)', 'get /orders?a=1'],
      ['host', 'api.example.com'],
      ['date', date],
      ['x-list', 'a, b'],
    ] as const
    const two = signed({ lines, fields: ['X-List', 'a', 'x-list', ' b '] })
    expect(reasonOf(judged(two))).toBe('ok')
    expect(reasonOf(judged(signed({ lines, fields: ['X-List', 'a, b'] })))).toBe('ok')
    expect(reasonOf(judged(signed({ lines, fields: ['X-List', 'b', 'X-List', 'a'] })))).toBe(
      'signature-mismatch',
    )
    const twoDates = signed({ fields: ['Date', date] })
    expect(reasonOf(judged(twoDates))).not.toBe('ok')
    expect(reasonOf(judged(signed({ method: 'POST', body, fields: ['Digest', digestOf('x')] })))).toBe(
      'component-missing',
    )
  })

  it('CA-07 CA-08 CA-13 CA-31 fields that are there, whatever their names', () => {
    const line = (name: string, value: string) =>
      [
        ['(request-target)', 'get /orders?a=1'],
        ['host', 'api.example.com'],
        ['date', date],
        [name, value],
      ] as const
    for (const name of ['constructor', 'tostring', '__proto__', 'x-gone', 'digest']) {
      expect(reasonOf(judged(signed({ lines: line(name, 'undefined') }))), name).toBe('component-missing')
    }
    expect(reasonOf(judged(signed({ lines: line('__proto__', 'x'), fields: ['__proto__', 'x'] })))).toBe('ok')
    expect(reasonOf(judged(signed({ lines: line('x-name', 'Zo\xeb'), fields: ['X-Name', 'Zo\xeb'] })))).toBe(
      'component-missing',
    )
  })
})

describe('cavage reads', () => {
  it('PA-12 PA-13 PA-14 PA-25 PA-33 one signature, in one place', () => {
    const message = signed()
    const value = message.fields.at(-1) ?? ''
    const parameters = value.slice('Signature '.length)
    const only = (...fields: string[]): RequestMessage =>
      withFields(message, (all) => [...all.slice(0, -2), ...fields])
    expect(reasonOf(judged(only('Signature', parameters)))).toBe('ok')
    expect(reasonOf(judged(only('AUTHORIZATION', `  ${value} `)))).toBe('ok')
    for (const [fields, reason] of [
      [['Authorization', value, 'Authorization', value], 'signature-malformed'],
      [['Authorization', 'Basic eA==', 'Authorization', value], 'signature-malformed'],
      [['Authorization', value, 'Signature', parameters], 'signature-malformed'],
      [['Signature', parameters, 'Signature', parameters], 'signature-malformed'],
      [['Signature', value], 'signature-malformed'],
      [['Authorization', `Basic ${parameters}`], 'signature-absent'],
      [['Authorization', `signature ${parameters}`], 'signature-malformed'],
      [['Authorization', `Signature\t${parameters}`], 'signature-malformed'],
      [['Authorization', ''], 'signature-absent'],
      [['Signature', ''], 'signature-absent'],
      [['Signature', 'sig1=:AAAA:'], 'signature-absent'],
      [['Signature', parameters, 'Signature-Input', 'sig1=()'], 'signature-absent'],
      [['Authorization', 'Signature'], 'signature-malformed'],
    ] as const) {
      expect(reasonOf(judged(only(...fields))), fields.join().slice(0, 40)).toBe(reason)
    }
  })

  it('is read beside RFC 9421 without getting in its way', () => {
    const verifier = createVerifier({
      schemes: [rfc9421(), cavage()],
      credentials: () => credential,
      clock: () => now,
    })
    expect(verifier.verifySync(signed())).toMatchObject({ ok: true, scheme: 'cavage' })
    const lone = withFields(signed(), (fields) => [
      ...fields.slice(0, -2),
      'Signature',
      (fields.at(-1) ?? '').slice(10),
    ])
    expect(verifier.verifySync(lone)).toMatchObject({ ok: true, scheme: 'cavage' })
  })

  it('PA-16 PA-18 PA-20 PA-29 5.11 whole key ids, each parameter once', () => {
    for (const parameters of [
      'keyId="k1",keyId="k2",algorithm="hmac-sha256",',
      'keyId="k1",keyid="k2",algorithm="hmac-sha256",',
      'keyid="k1",algorithm="hmac-sha256",',
      'xkeyId="k1",algorithm="hmac-sha256",',
      'keyId="",algorithm="hmac-sha256",',
      'keyId=k1,algorithm="hmac-sha256",',
      'keyId="k\u00e9",algorithm="hmac-sha256",',
      `keyId="${'k'.repeat(257)}",algorithm="hmac-sha256",`,
      'keyId="k1",algorithn="hmac-sha256",',
      'keyId="k1",Algorithm="hmac-sha256",',
      'keyId="k1",__proto__="x",',
      'keyId="k1",constructor="x",',
    ]) {
      expect(reasonOf(judged(signed({ parameters }))), parameters.slice(0, 40)).toBe('signature-malformed')
    }
    for (const id of ['k1-admin', 'k1 and more', 'k1@x', 'https://a.example/actor#main-key', 'f,oo']) {
      const parameters = `keyId="${id}",algorithm="hmac-sha256",`
      expect(reasonOf(judged(signed({ parameters })))).toBe('credential-unknown')
      expect(reasonOf(judged(signed({ parameters }), {}, { credential: { id, secret } })), id).toBe('ok')
      expect(
        reasonOf(judged(signed({ parameters }), { keyIds: 'word' }, { credential: { id, secret } })),
      ).toBe('signature-malformed')
    }
    expect(reasonOf(judged(signed(), { keyIds: 'word' }))).toBe('ok')
    for (const known of ['opaque="x"', 'version="1"', 'extensions="a b"', 'nonce="n"']) {
      expect(reasonOf(judged(signed({ parameters: `keyId="k1",${known},` }))), known).toBe('ok')
    }
  })

  it('CA-34 lists of up to 32 names, lower-cased, each once', () => {
    const upper = 'headers="(request-target) HOST Date",'
    expect(reasonOf(judged(signed({ list: upper })))).toBe('ok')
    for (const list of [
      'date date',
      '(request-target)  host date',
      '(request-target),host',
      ' date',
      'date ',
      'a=b',
      '(status)',
      Array.from({ length: 33 }, (_, i) => `x${i}`).join(' '),
      'x '.repeat(2000),
    ]) {
      expect(reasonOf(judged(signed({ list: `headers="${list}",` }))), list.slice(0, 40)).toBe(
        'signature-malformed',
      )
    }
  })
})

describe('cavage, malformed', () => {
  it('PA-07 PA-08 takes no signature that is not canonical base64', () => {
    const value = signed().fields.at(-1) ?? ''
    for (const change of [
      (text: string) => text.replace('="}', '"'),
      (text: string) => text.replace(/=?"$/, '"'),
      (text: string) => text.replace(/.="$/, '-="'),
      (text: string) => text.replace(/"$/, ' "'),
      (text: string) => text.replace(/"$/, 'AAAA"'),
    ]) {
      const changed = change(value)
      if (changed === value) continue
      expect(['signature-malformed', 'signature-mismatch']).toContain(
        reasonOf(judged(withFields(signed(), (fields) => fields.with(-1, changed)))),
      )
    }
  })

  it('is a verdict and no error, and tells nothing of what was sent', () => {
    for (const value of [
      'Signature foo',
      'Signature keyId=',
      'Signature "keyId"="x"',
      `Signature ${'a'.repeat(100_000)}`,
      'Signature keyId="k1",signature="x",headers="(created)",created=1',
    ]) {
      const verdict = judged(authorization(value))
      expect(verdict.ok).toBe(false)
      expect(JSON.stringify(verdict)).not.toContain('aaaa')
    }
  })
})
