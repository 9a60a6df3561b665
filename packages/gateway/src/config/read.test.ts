import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CountersignError } from 'countersign'
import { describe, expect, it } from 'vitest'
import { readConfig, readConfigFile } from './read.ts'

const problems = (text: string): readonly string[] => {
  const read = readConfig(text)
  return read.ok
    ? []
    : read.problems.map(({ line, column, setting, message }) => `${line}:${column} ${setting}: ${message}`)
}

const least = 'upstream: http://127.0.0.1:9000\nroutes:\n  - path: /\n'

describe('a configuration', () => {
  it('needs an upstream and a route, and has defaults for the rest', () => {
    const read = readConfig(least)
    expect(read).toMatchObject({
      ok: true,
      config: {
        listen: { host: '127.0.0.1', port: 8080 },
        publicScheme: 'http',
        trustedProxies: [],
        dataDir: './data',
        nonces: 'memory',
        schemes: ['rfc9421'],
        targets: 'strict',
        routes: [{ path: '/', mode: 'enforce', body: 'spool' }],
        body: { limitBytes: 67_108_864, memoryBytes: 1_048_576 },
        limits: {
          fields: 128,
          fieldBytes: 16_384,
          targetBytes: 8192,
          requestsPerConnection: 1000,
          inFlight: 1000,
        },
        timeouts: { headersSeconds: 10, requestSeconds: 30, keepAliveSeconds: 5, drainSeconds: 10 },
      },
    })
  })

  it('is told every problem at once, with line and column, in order', () => {
    const text = `listen:
  port: 99999
upstrem: http://127.0.0.1:9000
trustedProxies: [10.0.0.0/8, nonsense]
timeouts: { headersSeconds: 60 }
routes:
  - path: admin
    mode: sometimes
    upstream: http://127.0.0.1:9000/with/a/path
  - path: /x
    rights: []
    methods: [GET, "G T"]
    policy:
      maxAgeSeconds: 5m
      covers: ["@method", 7]
`
    expect(problems(text)).toEqual([
      expect.stringMatching(/^2:3 listen\.port: /),
      '3:1 upstrem: is not a known setting',
      expect.stringMatching(/^4:30 trustedProxies\[1\]: expected an address/),
      '5:13 timeouts.headersSeconds: expected no more than requestSeconds',
      expect.stringMatching(/^7:5 routes\[0\]\.path: expected a path that starts with one slash/),
      expect.stringMatching(/^8:5 routes\[0\]\.mode: .*"enforce"/),
      expect.stringMatching(/^9:5 routes\[0\]\.upstream: expected "echo", or http/),
      '10:5 routes[1]: expected an upstream, here or at the top',
      expect.stringMatching(/^11:5 routes\[1\]\.rights: /),
      expect.stringMatching(/^12:20 routes\[1\]\.methods\[1\]: expected a method/),
      expect.stringMatching(/^14:7 routes\[1\]\.policy\.maxAgeSeconds: /),
      expect.stringMatching(/^15:27 routes\[1\]\.policy\.covers\[1\]: /),
    ])
  })

  it('is told what is wrong with values, shapes, names, relations and the environment in one pass', () => {
    const text = `listen: { port: 99999 }
timeouts: { headersSeconds: 60 }
policy: { algorithms: [hmac-sha256, hmac-sha257], covers: ["@method", "@methd"] }
upstrem: http://127.0.0.1:9000
routes:
  - { path: /a }
  - { path: /a, upstream: echo, mode: warn, body: stream }
  - { path: /b, host: "admin.example:80", upstream: echo }
  - { path: /c, host: a..example, upstream: echo, policy: { covers: { GET: [Date] } } }
forwardAuth: { trustedHops: [127.0.0.1], fields: x-original, secretEnv: HOP }
`
    const read = readConfig(text, { HOP: 'too short' })
    expect(
      (read.ok ? [] : read.problems).map(({ line, setting, message }) => `${line} ${setting}: ${message}`),
    ).toEqual([
      expect.stringMatching(/^1 listen\.port: /),
      '2 timeouts.headersSeconds: expected no more than requestSeconds',
      '3 policy.algorithms[1]: expected the name of an algorithm',
      expect.stringMatching(/^3 policy\.covers\[1\]: expected a component/),
      '4 upstrem: is not a known setting',
      '6 routes[0]: expected an upstream, here or at the top',
      '7 routes[1].path: is the same route as routes[0]',
      expect.stringMatching(/^7 routes\[1\]\.body: stream needs mode enforce/),
      '8 routes[2].host: expected no :80: it is the default port',
      expect.stringMatching(/^9 routes\[3\]\.host: expected a host in lower case/),
      expect.stringMatching(/^9 routes\[3\]\.policy\.covers\.GET\[0\]: expected a component/),
      '10 forwardAuth.secretEnv: expected at least 16 characters in HOP',
    ])
    expect(JSON.stringify(read)).not.toContain('too short')
  })

  it('is told what only shows when its parts are seen together', () => {
    const text = `timeouts: { headersSeconds: 60 }
routes:
  - { path: /a, methods: [GET, POST] }
  - { path: /a, methods: [POST], upstream: echo }
  - { path: /b, upstream: echo, mode: observe, body: stream }
`
    expect(problems(text)).toEqual([
      '1:13 timeouts.headersSeconds: expected no more than requestSeconds',
      '3:5 routes[0]: expected an upstream, here or at the top',
      '4:7 routes[1].path: is the same route as routes[0]',
      expect.stringMatching(/^5:48 routes\[2\]\.body: stream needs mode enforce/),
    ])
  })

  it.each([
    ['nothing', '', '1:1 routes: is missing'],
    ['a list', '- a\n', '1:1 : '],
    ['text', 'hello', '1:1 : '],
    ['no routes', 'upstream: echo\nroutes: []\n', '2:1 routes: expected at least one route'],
    ['a setting given twice', `${least}upstream: echo\n`, '4:1 : Map keys must be unique'],
    ['broken YAML', 'routes: [\n  {path: /}\n', '3:1 : '],
    ['a tab', 'routes:\n\t- path: /\n', '2:1 : '],
    ['two documents', `${least}---\n${least}`, ''],
    ['an alias that was never named', 'routes: *nowhere\n', ''],
    ['a tag that runs code', 'routes: !!js/function "x"\n', ''],
    ['__proto__', `${least}__proto__: { port: 1 }\n`, '4:1 __proto__: is not a known setting'],
    [
      'a path of the gateway itself',
      'upstream: echo\nroutes: [{path: /.countersign/x}]',
      '2:11 routes[0].path: paths below',
    ],
    [
      'a right that is not text',
      'upstream: echo\nroutes: [{path: /, rights: [1]}]',
      '2:29 routes[0].rights[0]: ',
    ],
    ['a user in an upstream', 'upstream: http://me@a.test\nroutes: [{path: /}]', '1:1 upstream: '],
    [
      'a forward-auth endpoint without hops',
      `${least}forwardAuth: { fields: x-original }\n`,
      '4:1 forwardAuth.trustedHops: is missing',
    ],
  ])('with %s is refused', (_what, text, first) => {
    const all = problems(text)
    expect(all.length).toBeGreaterThan(0)
    expect(all[0]?.startsWith(first), all[0]).toBe(true)
    expect(Object.hasOwn(Object.prototype, 'port')).toBe(false)
  })

  it('cannot grow without bound through aliases', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'
        .split('')
        .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join()}]`),
    ]
    const startedAt = performance.now()
    expect(problems(bomb.join('\n')).length).toBeGreaterThan(0)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it('takes one right as a list of one', () => {
    expect(readConfig(`${least}    rights: reports:read\n`)).toMatchObject({
      config: { routes: [{ rights: ['reports:read'] }] },
    })
  })

  it('in a file names the file with every problem', () => {
    const directory = mkdtempSync(join(tmpdir(), 'config-test-'))
    const path = join(directory, 'gateway.yaml')
    writeFileSync(path, 'upstream: 7\nroutes: 8\n')
    expect(() => readConfigFile(path)).toThrow(CountersignError)
    expect(() => readConfigFile(path)).toThrow(
      new RegExp(`2 problem\\(s\\)\n  ${path}:1:1 upstream: .*\n  ${path}:2:1 routes: `),
    )
    expect(() => readConfigFile(join(directory, 'absent'))).toThrow(
      /absent: the configuration cannot be read/,
    )
    rmSync(directory, { recursive: true })
  })

  it('in the example is complete and right', () => {
    const text = readFileSync(new URL('../../../../examples/gateway.yaml', import.meta.url), 'utf8')
    expect(problems(text)).toEqual([])
    // Every setting is there, at least as a comment, with its default where it has one.
    const whole = text.replace(/^( *)# ((?: *)(?:[a-zA-Z]+:(?: |$)|- path:|- name:).*)$/gm, '$1$2')
    expect(problems(whole)).toEqual([])
    const read = readConfig(whole)
    expect(Object.keys(read.ok ? read.config : {}).sort()).toEqual(
      [
        'listen',
        'publicScheme',
        'trustedProxies',
        'dataDir',
        'nonces',
        'upstream',
        'schemes',
        'targets',
        'policy',
        'routes',
        'forwardAuth',
        'body',
        'limits',
        'timeouts',
        'log',
      ].sort(),
    )
    const defaults = readConfig(least)
    for (const section of ['limits', 'timeouts', 'log', 'targets'] as const) {
      expect(read.ok && read.config[section], section).toEqual(defaults.ok && defaults.config[section])
    }
  })
})
