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

const found = (method: string, target: string, authority = 'a.test', routes = table): string => {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const routing = findRoute(routes, { method, target, authority, scheme: 'http', parts: { path } })
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
    expect(found('GET', '/api/x', 'b.test.:8443')).toBe('api-b-port')
    expect(found('GET', '/api/reports', 'b.test')).toBe('reports-read')
  })

  it.each(['admin.example', 'admin.example:8080', '[::1]', '[::1]:8080'])(
    'for the host %s is not passed by with another port or a dot',
    (host) => {
      const routes = new RouteTable([route('any', '/'), route('admin', '/', { host })])
      const name = host.replace(/:8080$/, '')
      expect(found('GET', '/x', host, routes)).toBe('admin')
      for (const port of ['', ':443', ':8080', ':9999']) {
        if (name + port !== host) expect(found('GET', '/x', name + port, routes)).toBe('ambiguous')
      }
      expect(found('GET', '/x', 'other.example:9999', routes)).toBe('any')
      if (name.startsWith('[')) return
      expect(found('GET', '/x', host.replace(name, `${name}.`), routes)).toBe('admin')
      expect(found('GET', '/x', `${name}.:443`, routes)).toBe('ambiguous')
    },
  )

  it.each(['admin.example..', 'admin.example..:80', '.admin.example', 'admin..example', '.', '.:80', '..'])(
    'is not found for %s, whose labels are not all there',
    (authority) => {
      expect(found('GET', '/', authority)).toBe('ambiguous')
    },
  )

  it.each(['.', 'a..test', ':8080'])('for the host %s, which no request has, is no route for any', (host) => {
    expect(found('GET', '/', 'a.test', new RouteTable([route('none', '/', { host })]))).toBe('denied')
  })

  it('for a host and port decides for itself, unless another port of the host has a more specific one', () => {
    const routes = new RouteTable([
      route('any', '/'),
      route('any-public', '/public/files'),
      route('host', '/', { host: 'h.example' }),
      route('host-secret', '/secret', { host: 'h.example', methods: ['GET'] }),
      route('port', '/', { host: 'h.example:8080' }),
      route('port-api', '/api', { host: 'h.example:8080' }),
    ])
    const ask = (target: string, authority: string, method = 'GET') =>
      found(method, target, authority, routes)
    expect(ask('/x', 'h.example')).toBe('host')
    expect(ask('/x', 'h.example:8080')).toBe('port')
    expect(ask('/x', 'h.example:1')).toBe('ambiguous')
    expect(ask('/api', 'h.example:8080')).toBe('port-api')
    expect(ask('/api', 'h.example')).toBe('ambiguous')
    expect(ask('/secret', 'h.example:8080')).toBe('ambiguous')
    expect(ask('/secret', 'h.example:8080', 'POST')).toBe('ambiguous')
    expect(ask('/%53ecret', 'h.example:8080')).toBe('ambiguous')
    expect(ask('/secret', 'h.example', 'POST')).toBe('denied')
    expect(ask('/public/files/1', 'h.example:1')).toBe('any-public')
  })

  it('is not passed by where its own path has capitals or escapes', () => {
    const routes = new RouteTable([route('root', '/'), route('admin', '/Admin'), route('x', '/%78/y')])
    expect(found('GET', '/Admin/x', 'a.test', routes)).toBe('admin')
    expect(found('GET', '/%78/y', 'a.test', routes)).toBe('x')
    for (const target of ['/admin/x', '/ADMIN/x', '/a%44min/x', '/%41dmin', '/x/y', '/X/y/z', '/%58/y']) {
      expect(found('GET', target, 'a.test', routes), target).toBe('ambiguous')
    }
    expect(found('GET', '/administrator', 'a.test', routes)).toBe('root')
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
    expect(lenientReadings('/plain')).toEqual({ decoded: '/plain', folded: '/plain' })
    expect(lenientReadings('/%41%c3')).toEqual({ decoded: '/A%C3', folded: '/a%c3' })
    expect(lenientReadings('/A')).toEqual({ decoded: '/A', folded: '/a' })
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
