import { describe, expect, it } from 'vitest'
import { fieldLines, requestMessage, responseMessage, type WireRequest, wireRequest } from './message.ts'

function wire(given: Partial<WireRequest> = {}) {
  return wireRequest({
    method: 'GET',
    target: '/a?b=c',
    scheme: 'http',
    fields: ['Host', 'good.example'],
    body: undefined,
    ...given,
  })
}

describe('wireRequest', () => {
  it('keeps method, target, authority and field lines as they came', () => {
    const fields = ['hOST', ' Good.Example:80 ', 'X', 'b', 'x', 'a']
    expect(wire({ method: 'patch', target: '/a/%7e?', fields })).toMatchObject({
      method: 'patch',
      target: '/a/%7e?',
      parts: { form: 'origin', path: '/a/%7e', query: '' },
      authority: 'Good.Example:80',
      fields,
      problem: undefined,
    })
  })

  it.each(['//evil.example/x', '///evil.example', '/@evil.example', '/http://evil.example/'])(
    'never takes a host from the path %s',
    (target) => {
      expect(wire({ target })).toMatchObject({
        authority: 'good.example',
        parts: { path: target },
        problem: undefined,
      })
    },
  )

  it('takes an absolute target for the very authority and scheme of the connection', () => {
    expect(wire({ target: 'http://Good.example/a' })).toMatchObject({
      authority: 'good.example',
      problem: undefined,
    })
  })

  it.each<[problem: string, given: Partial<WireRequest>]>([
    ['two Host lines', { fields: ['Host', 'good.example', 'host', 'good.example'] }],
    ['two Host lines beside an authority', { fields: ['Host', 'a', 'Host', 'b'], authority: 'good.example' }],
    ['no Host line', { fields: [] }],
    ['no Host line beside an absolute target', { fields: [], target: 'http://good.example/' }],
    ['an empty Host', { fields: ['Host', ''] }],
    ['user information in Host', { fields: ['Host', 'user@good.example'] }],
    ['a list in Host', { fields: ['Host', 'good.example, evil.example'] }],
    ['a tab in Host', { fields: ['Host', 'good\tevil'] }],
    ['a fragment in Host', { fields: ['Host', 'good#x'] }],
    ['a query in Host', { fields: ['Host', 'good?x'] }],
    ['a list in Host beside an authority', { fields: ['Host', 'a, b'], authority: 'good.example' }],
    ['an authority that is none', { authority: 'good.example/' }],
    ['an absolute target for another host', { target: 'http://evil.example/a' }],
    ['an absolute target for another port', { target: 'http://good.example:8080/a' }],
    ['an absolute target for another scheme', { target: 'https://good.example/a' }],
    ['an absolute http target on a TLS connection', { target: 'http://good.example/a', scheme: 'https' }],
    ['a backslash in the target', { target: '/\\evil.example/x' }],
    ['a fragment in the target', { target: '/a#b' }],
    ['an empty target', { target: '' }],
    ['an empty method', { method: '' }],
    ['a method with a line feed', { method: 'GET\n/other' }],
    ['a method with a blank', { method: 'GET /' }],
    ['a method beyond ASCII', { method: 'G\xcbT' }],
    ['a method of 10 KiB', { method: 'G'.repeat(10_240) }],
  ])('gives a message with %s a problem', (_what, given) => {
    const message = wire(given)
    expect(message.problem).toBeTypeOf('string')
    expect(message.target).toBe(given.target ?? '/a?b=c')
  })

  it('prefers what a trusted hop says to Host', () => {
    expect(wire({ authority: 'public.example' })).toMatchObject({
      authority: 'public.example',
      problem: undefined,
    })
  })
})

describe('requestMessage', () => {
  it('takes an absolute URL raw', () => {
    const url = 'HTTPS://Example.com:443/a/../b/%7e;x?q=%C3%a9&&'
    expect(requestMessage({ url })).toMatchObject({
      method: 'GET',
      scheme: 'https',
      authority: 'Example.com:443',
      target: '/a/../b/%7e;x?q=%C3%a9&&',
      problem: undefined,
    })
  })

  it('takes a path with the Host among the headers, as plain http', () => {
    const message = requestMessage({ url: '/a?b', headers: { host: 'good.example:8080' } })
    expect(message).toMatchObject({ scheme: 'http', authority: 'good.example:8080', target: '/a?b' })
  })

  it('takes a URL object', () => {
    expect(requestMessage({ url: new URL('http://good.example/a?b') }).target).toBe('/a?b')
  })

  it('sends / where a URL has no path, and no fragment', () => {
    expect(requestMessage({ url: 'http://good.example' }).target).toBe('/')
    expect(requestMessage({ url: 'http://good.example?a#b?c' }).target).toBe('/?a')
  })

  it('goes by the target where one is given', () => {
    const message = requestMessage({ url: 'http://good.example/a', target: '/%61' })
    expect(message).toMatchObject({ target: '/%61', parts: { path: '/%61' }, authority: 'good.example' })
    expect(requestMessage({ url: '/a', target: '/%61', headers: { Host: 'a' } }).target).toBe('/%61')
  })

  it('takes a Host that says what the URL says, in any spelling', () => {
    for (const Host of ['good.example', 'GOOD.example:443']) {
      expect(requestMessage({ url: 'https://good.example/', headers: { Host } }).problem).toBeUndefined()
    }
  })

  it.each([
    ['another Host than its URL', 'https://good.example/', ['Host', 'evil.example']],
    ['another port in Host than in its URL', 'https://good.example/', ['Host', 'good.example:80']],
    ['two Host lines', 'https://good.example/', ['Host', 'good.example', 'Host', 'good.example']],
    ['a path and no Host', '/a', []],
    ['a URL with user information', 'https://user:secret@good.example/', []],
    ['a URL with a list for a host', 'https://good.example, evil.example/', []],
    ['a blank in its URL', 'https://good.example/a b', []],
    ['a backslash in its path', '/\\evil.example', ['Host', 'good.example']],
  ])('gives a message with %s a problem and does not throw', (_what, url, headers) => {
    const { problem } = requestMessage({ url, headers })
    expect(problem).toBeTypeOf('string')
    expect(problem).not.toContain('secret')
  })

  it.each(['', 'good.example/a', 'ftp://good.example/', 'http:good.example', 'javascript:alert(1)', '*'])(
    'throws for the URL %j, which no request can have',
    (url) => {
      expect(() => requestMessage({ url })).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    },
  )

  it('encodes a body of text as UTF-8 and takes bytes as they are', () => {
    const url = 'http://good.example/'
    expect(requestMessage({ url, body: 'é' }).body).toEqual(Uint8Array.of(0xc3, 0xa9))
    const bytes = Uint8Array.of(0xff)
    expect(requestMessage({ url, body: bytes }).body).toBe(bytes)
    expect(requestMessage({ url }).body).toBeUndefined()
  })

  it('throws for a body that is neither text nor bytes', () => {
    for (const body of [null, 7, {}, new ArrayBuffer(1)]) {
      const input = { url: 'http://good.example/', body } as never // what a JavaScript caller can pass
      expect(() => requestMessage(input)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    }
  })
})

describe('fieldLines', () => {
  const lines = ['A', '1', 'a', '2', '__proto__', '3']

  it('takes a flat list, pairs and a map, in order and with repetitions', () => {
    const pairs: readonly [string, string][] = [
      ['A', '1'],
      ['a', '2'],
      ['__proto__', '3'],
    ]
    expect(fieldLines(lines)).toEqual(lines)
    expect(fieldLines(pairs)).toEqual(lines)
    expect(fieldLines(new Map(pairs))).toEqual(lines)
    expect(fieldLines([])).toEqual([])
    expect(fieldLines(undefined)).toEqual([])
  })

  it('takes Headers, which have joined and lower-cased what they were given', () => {
    expect(
      fieldLines(
        new Headers([
          ['A', '1'],
          ['a', '2'],
        ]),
      ),
    ).toEqual(['a', '1, 2'])
  })

  it('takes a record, with one line for each value of a list', () => {
    const record: unknown = JSON.parse('{"A":"1","a":["2","3"],"none":[],"__proto__":"4"}')
    const given = { ...Object(record), absent: undefined }
    expect(fieldLines(given)).toEqual(['A', '1', 'a', '2', 'a', '3', '__proto__', '4'])
    expect(Object.prototype).not.toHaveProperty('4')
  })

  it('makes a list of its own', () => {
    const given = ['A', '1']
    const made = fieldLines(given)
    given[1] = '2'
    expect(made).toEqual(['A', '1'])
  })

  it.each([
    ['a flat list that ends with a name', ['A', '1', 'B']],
    ['a number for a value', { 'content-length': 5 }],
    ['null for a value', { a: null }],
    ['a number in a list of values', { a: ['1', 2] }],
    ['a pair without value', [['a']]],
  ])('throws for %s', (_what, given) => {
    const input = given as never // what a JavaScript caller can pass
    expect(() => fieldLines(input)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })
})

describe('responseMessage', () => {
  it('keeps status, fields and the request that it answers', () => {
    const request = requestMessage({ url: 'http://good.example/' })
    const headers = ['Date', 'today']
    expect(responseMessage({ status: 204, headers, request })).toEqual({
      kind: 'response',
      status: 204,
      fields: headers,
      body: undefined,
      trailers: undefined,
      request,
      problem: undefined,
    })
  })

  it.each([99, 600, 200.5, Number.NaN, -1])('gives a response with the status %d a problem', (status) => {
    expect(responseMessage({ status }).problem).toBeTypeOf('string')
  })
})
