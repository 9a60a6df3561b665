import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  defaultPort,
  isAuthority,
  normalizeAuthority,
  pathOf,
  queryOf,
  splitAbsolute,
  splitTarget,
} from './target.ts'

describe('splitTarget', () => {
  it.each([
    ['/', '/', undefined],
    ['/a?b=c', '/a', 'b=c'],
    ['/a?', '/a', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['//evil.example/x', '//evil.example/x', undefined],
    ['///evil.example', '///evil.example', undefined],
    ['/http://evil.example/', '/http://evil.example/', undefined],
    ['/@evil.example', '/@evil.example', undefined],
    ['/a/../admin', '/a/../admin', undefined],
    ['/./x', '/./x', undefined],
    ['/a/%2e%2e/b', '/a/%2e%2e/b', undefined],
    ['/%2F%5C%00%25%32%46;x', '/%2F%5C%00%25%32%46;x', undefined],
    ['/%zz?%', '/%zz', '%'],
  ])('keeps the path and query of %s as they are', (target, path, query) => {
    expect(splitTarget(target, 'GET')).toEqual({ form: 'origin', path, query })
  })

  it.each([
    ['a backslash', '/\\evil.example/x'],
    ['a leading backslash', '\\\\evil.example'],
    ['a backslash in the query', '/?\\'],
    ['a fragment', '/a#b'],
    ['a fragment in the query', '/a?b#c'],
    ['a blank', '/a b'],
    ['a tab', '/a\tb'],
    ['a line feed', '/a\nb'],
    ['a carriage return', '/a\r'],
    ['a NUL', '/a\0'],
    ['DEL', '/a\x7f'],
    ['a byte beyond ASCII', '/\xe9'],
    ['a letter beyond Latin-1', '/\u0130'],
    ['nothing', ''],
    ['no slash', 'a/b'],
    ['a query alone', '?a'],
    ['an asterisk outside OPTIONS', '*'],
    ['an authority outside CONNECT', 'example.com:443'],
    ['another scheme', 'ftp://example.com/'],
    ['a scheme without slashes', 'http:/example.com'],
    ['an empty authority', 'http:///a'],
    ['user information', 'http://user@example.com/'],
    ['an empty port', 'http://example.com:/'],
  ])('refuses %s', (_what, target) => {
    expect(splitTarget(target, 'GET')).toBeTypeOf('string')
  })

  it('takes the asterisk form for OPTIONS alone, and the authority form for CONNECT alone', () => {
    expect(splitTarget('*', 'OPTIONS')).toMatchObject({ form: 'asterisk', path: '*' })
    expect(splitTarget('*', 'options')).toBeTypeOf('string')
    expect(splitTarget('example.com:443', 'CONNECT')).toMatchObject({
      form: 'authority',
      authority: 'example.com:443',
    })
    expect(splitTarget('http://example.com/', 'CONNECT')).toBeTypeOf('string')
  })

  it('gives parts that join to the target again, or a text, for any target', () => {
    const piece = fc.constantFrom(
      '/',
      '//',
      '?',
      '#',
      '\\',
      'a',
      '..',
      '%2e',
      'http://',
      'HTTPS://h:1',
      '@',
      ':',
      '*',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const target = pieces.join('')
        const parts = splitTarget(target, 'GET')
        if (typeof parts === 'string') return
        const query = parts.query === undefined ? '' : `?${parts.query}`
        const origin = target.slice(0, target.length - parts.path.length - query.length)
        expect(origin + parts.path + query).toBe(target)
        expect(origin.toLowerCase()).toBe(
          parts.scheme === undefined ? '' : `${parts.scheme}://${parts.authority?.toLowerCase()}`,
        )
      }),
      { numRuns: 2000 },
    )
  })
})

describe('splitAbsolute', () => {
  it.each([
    ['http://example.com', 'http', 'example.com', '', undefined],
    ['HTTPS://Example.com:443/a?b', 'https', 'Example.com:443', '/a', 'b'],
    ['http://example.com?b', 'http', 'example.com', '', 'b'],
    ['http://[::1]:8080//x', 'http', '[::1]:8080', '//x', undefined],
    ['http://example.com/?a://b', 'http', 'example.com', '/', 'a://b'],
  ])('takes %s apart', (uri, scheme, authority, path, query) => {
    expect(splitAbsolute(uri)).toEqual({ form: 'absolute', scheme, authority, path, query })
  })
})

describe('isAuthority', () => {
  it.each([
    'example.com',
    'EXAMPLE.com:443',
    'example.com.',
    'a_b~c-d.example',
    '127.0.0.1:1',
    '[::1]',
    '[::ffff:1.2.3.4]:65535',
    'localhost:8080',
    'xn--bcher-kva.example',
    `${'a.'.repeat(127)}a`,
  ])('takes %s', (text) => {
    expect(isAuthority(text)).toBe(true)
  })

  it.each([
    '',
    'user@good',
    'good, evil',
    'good\tevil',
    'good evil',
    'good#x',
    'good?x',
    'good/x',
    'good\\x',
    'good,evil',
    ' good',
    'good ',
    'ex%61mple.com',
    'example.com:0443',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:123456',
    'example.com:-1',
    'example.com:80:80',
    'example.com:8x',
    ':80',
    '[]',
    '[::1',
    '::1',
    '[::1]x',
    '[::1]:',
    '[fe80::1%eth0]',
    '[g::]',
    'b\xfccher.example',
    'good\0',
    'good\n',
    "good'",
    'good;x',
    'good=x',
    'good*',
  ])('refuses %j', (text) => {
    expect(isAuthority(text)).toBe(false)
  })

  it.each([
    ['labels', 'a.'],
    ['brackets', '['],
    ['colons', '::'],
  ])('refuses any number of %s without reading them', (_what, piece) => {
    expect(isAuthority(piece.repeat(8000))).toBe(false)
  })

  it('agrees with the URL parser of Node about the plain hosts it takes', () => {
    const label = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_~.'), minLength: 1, maxLength: 20 })
    const port = fc.option(fc.integer({ min: 1, max: 65535 }))
    fc.assert(
      fc.property(label, port, (host, number) => {
        const text = number === null ? host : `${host}:${number}`
        expect(isAuthority(text)).toBe(true)
        // Names that end in a number are read as IPv4 addresses and rewritten; those the two need not agree on.
        const url = `http://${text}/`
        if (!URL.canParse(url) || /^[0-9]/.test(host.split('.').findLast((part) => part !== '') ?? '0'))
          return
        expect(new URL(url).host).toBe(normalizeAuthority(text, 'http'))
      }),
      { numRuns: 500 },
    )
  })
})

describe('normalizeAuthority', () => {
  it.each([
    ['EXAMPLE.com:443', 'https', 'example.com'],
    ['EXAMPLE.com:443', 'http', 'example.com:443'],
    ['example.com:80', 'http', 'example.com'],
    ['example.com:80', 'https', 'example.com:80'],
    ['example.com:8080', 'http', 'example.com:8080'],
    ['example.com.', 'https', 'example.com.'],
    ['[2001:DB8::80]:80', 'http', '[2001:db8::80]'],
    ['[::443]', 'https', '[::443]'],
  ])('writes %s under %s as %s', (authority, scheme, normal) => {
    expect(normalizeAuthority(authority, scheme)).toBe(normal)
  })

  it('drops exactly the default port', () => {
    expect(defaultPort('http')).toBe('80')
    expect(defaultPort('https')).toBe('443')
  })
})

describe('pathOf and queryOf', () => {
  it('cut at the first question mark and tell an empty query from none', () => {
    expect([pathOf('/a'), queryOf('/a')]).toEqual(['/a', undefined])
    expect([pathOf('/a?'), queryOf('/a?')]).toEqual(['/a', ''])
    expect([pathOf('/a?b?c'), queryOf('/a?b?c')]).toEqual(['/a', 'b?c'])
  })
})
