import { describe, expect, it } from 'vitest'
import { findRoute, type RoutePattern, RouteTable } from './routes.ts'
import { lenientReadings, targetAmbiguity } from './targets.ts'

interface Named extends RoutePattern {
  readonly name: string
}

const route = (name: string, path: string, more: Partial<RoutePattern> = {}): Named => ({
  name,
  path,
  host: undefined,
  methods: undefined,
  asSent: false,
  ...more,
})

const table = new RouteTable([
  route('root', '/', { methods: ['GET'] }),
  route('api', '/api'),
  route('api-b', '/api', { host: 'b.test' }),
  route('api-b-port', '/api', { host: 'b.test:8443' }),
  route('reports-read', '/api/reports', { methods: ['GET', 'HEAD'] }),
  route('reports-write', '/api/reports', { methods: ['POST'] }),
  route('below', '/below/'),
  route('cafe', '/caf%c3%a9'),
  route('raw', '/raw', { asSent: true }),
])

const found = (method: string, target: string, authority = 'a.test'): string => {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const routing = findRoute(table, { method, target, path, authority })
  return routing.kind === 'route' ? routing.route.name : routing.kind
}

describe('a route', () => {
  it.each([
    ['GET', '/', 'root'],
    ['GET', '/x', 'root'],
    ['POST', '/x', 'denied'],
    ['DELETE', '/api', 'api'],
    ['DELETE', '/api/', 'api'],
    ['DELETE', '/api/x?y=/../z', 'api'],
    ['GET', '/apix', 'root'],
    ['GET', '/api/reports', 'reports-read'],
    ['POST', '/api/reports/7', 'reports-write'],
    ['GET', '/below', 'root'],
    ['GET', '/below/x', 'below'],
    ['GET', '/caf%C3%A9/x', 'cafe'],
    ['GET', '/caf%c3%a9', 'cafe'],
    ['GET', '/raw/%2e%2e//x;y', 'raw'],
    ['GET', '/raw\\x', 'ambiguous'],
  ])('for %s %s is %s', (method, target, name) => {
    expect(found(method, target)).toBe(name)
  })

  it('for a host stands before one for any host', () => {
    expect(found('GET', '/api/x', 'b.test')).toBe('api-b')
    expect(found('GET', '/api/x', 'b.test.')).toBe('api-b')
    expect(found('GET', '/api/x', 'b.test:8443')).toBe('api-b-port')
    expect(found('GET', '/api/x', 'b.test:9')).toBe('api')
    expect(found('GET', '/api/reports', 'b.test')).toBe('reports-read')
  })

  it('that does not serve a method does not leave the path to a shorter one', () => {
    expect(found('DELETE', '/api/reports/7')).toBe('denied')
  })

  it.each(['/%61pi/x', '/API', '/Api/Reports', '/api/%72eports', '/api/Reports', '/be%6cow/x', '/CAF%C3%A9'])(
    'that %s would have in a lenient service is not passed by',
    (target) => {
      expect(found('GET', target)).toBe('ambiguous')
    },
  )

  it('is the same for escapes and letter case that make no difference', () => {
    expect(found('GET', '/%7euser/Readme')).toBe('root')
    expect(found('DELETE', '/api/%41/B')).toBe('api')
  })
})

describe('a target', () => {
  it.each([
    '/',
    '/a',
    '/a/',
    '/a.b',
    '/.well-known/x',
    '/..a',
    '/a..',
    '/...',
    '/a%20b',
    '/%C3%A9',
    '/a?x=//../;%2F\\',
    '/a%3Ab',
    '/a%2eb',
  ])('%s has one reading', (target) => {
    expect(targetAmbiguity(target)).toBeUndefined()
  })

  it.each([
    '//',
    '//evil',
    '/a//b',
    '/a//',
    '/.',
    '/..',
    '/./a',
    '/a/..',
    '/a/../b',
    '/%2e',
    '/%2E%2e/b',
    '/a/.%2e',
    '/a/%2e./b',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '/a%00',
    '/a%0a',
    '/a%7f',
    '/a%25',
    '/a%2561',
    '/a;b',
    '/a%3b',
    '/a%3F',
    '/a%23',
    '/a%',
    '/a%4',
    '/a%zz',
    'http://a.test/',
    '*',
    'a',
    '',
  ])('%s has more than one', (target) => {
    expect(targetAmbiguity(target)).toBeDefined()
  })

  it('is read leniently with plain escapes decoded, and without regard to case', () => {
    expect(lenientReadings('/plain')).toEqual([])
    expect(lenientReadings('/%61%C3')).toEqual(['/a%C3', '/a%c3'])
    expect(lenientReadings('/A')).toEqual(['/a'])
  })

  it('of eight kilobytes is read in less than 20 ms, whatever is in it', () => {
    for (const piece of ['%', '%2', '/.', '/%2e', '%2e%2e/', '/a', 'A%41']) {
      const target = `/${piece.repeat(8191 / piece.length)}`
      const startedAt = performance.now()
      targetAmbiguity(target)
      lenientReadings(target)
      expect(performance.now() - startedAt, piece).toBeLessThan(20)
    }
  })
})
