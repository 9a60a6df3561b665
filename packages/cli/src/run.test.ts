import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from './run.ts'

const now = 1_700_000_000
const secret = 'a secret of these tests, never to be printed'
const directory = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
afterAll(() => rmSync(directory, { recursive: true }))

interface Ending {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process: real files and databases, a fixed clock, counted random bytes. */
async function countersign(
  args: readonly string[],
  {
    env = { COUNTERSIGN_SECRET: secret },
    input = '',
    isTTY = false,
  }: { env?: object; input?: string; isTTY?: boolean } = {},
): Promise<Ending> {
  let out = ''
  let err = ''
  const exitCode = await run(args, {
    env: { ...env },
    input: Object.assign(Readable.from(input === '' ? [] : [Buffer.from(input, 'latin1')]), { isTTY }),
    inputTimeoutMs: 5000,
    print: (text) => {
      out += text
    },
    complain: (text) => {
      err += text
    },
    clock: () => now,
    random: (byteLength) => Uint8Array.from({ length: byteLength }, (_, i) => i),
    stopped: () => Promise.resolve('SIGTERM'),
  })
  return { exitCode, out, err }
}

const file = (name: string, content: string) => {
  const path = join(directory, name)
  writeFileSync(path, content, 'latin1')
  return path
}

interface SeedCase {
  readonly id: string
  readonly kind: string
  readonly credential: { readonly id: string; readonly secret: string }
  readonly signer?: {
    readonly source: string
    readonly input: { readonly method: string; readonly url: string; readonly bodyBase64: string }
    readonly headers: readonly (readonly [string, string])[]
  }
}

describe('countersign sign', () => {
  it('signs in the scheme of uStudio as the original client did', async () => {
    const seed: { readonly cases: readonly SeedCase[] } = JSON.parse(
      readFileSync(new URL('../../../vectors/ustudio-hmac/seed.json', import.meta.url), 'utf8'),
    )
    const cases = seed.cases.filter(
      ({ kind, signer }) => kind === 'valid' && signer?.source === 'original client',
    )
    expect(cases.length).toBeGreaterThan(10)
    let compared = 0
    for (const { id, credential, signer } of cases) {
      // The original signs with an empty secret as well; here it is refused.
      if (credential.secret === '' || signer === undefined || !signer.input.url.startsWith('http')) continue
      const { url, method, bodyBase64 } = signer.input
      const body = file('body', Buffer.from(bodyBase64, 'base64').toString('latin1'))
      const args = [
        'sign',
        '--key',
        credential.id,
        '--scheme',
        'ustudio-hmac',
        '-X',
        method,
        '--body-file',
        body,
        url,
      ]
      const { exitCode, out, err } = await countersign(args, {
        env: { COUNTERSIGN_SECRET: credential.secret },
      })
      // Visible ASCII only in a URL: some originals sent raw bytes, which no request line may hold.
      if (exitCode === 2 && !/^[\x21-\x7e]*$/.test(url)) continue
      const lines = signer.headers
        .filter(([name]) => name === 'Authorization')
        .map(([name, value]) => `${name}: ${value}\n`)
      expect({ id, out, err }).toEqual({ id, out: lines.join(''), err: '' })
      compared++
    }
    expect(compared).toBeGreaterThan(10)
  })

  it('prints the fields of RFC 9421', async () => {
    const args = ['sign', '--key', 'billing', '--data', '{}', '-H', 'Content-Type: application/json']
    const url = 'https://api.example.com/invoices?x=%7e'
    const { exitCode, out, err } = await countersign([...args, '--tag', 'app', '--expires-in', '60s', url])
    expect(out.replace(/nonce="[\w-]{22}"/, 'nonce="N"').replace(/:[\w+/]{43}=:\n$/, ':S:\n')).toBe(
      `Content-Digest: sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:
Signature-Input: sig1=("@method" "@target-uri" "content-digest" "content-type");created=${now};expires=${now + 60};keyid="billing";nonce="N";tag="app"
Signature: sig1=:S:
`,
    )
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
  })

  it('prints JSON', async () => {
    const args = ['sign', '--json', '--key', 'k', '--scheme', 'ustudio-hmac', 'https://x/y']
    expect(JSON.parse((await countersign(args)).out)).toEqual({
      scheme: 'ustudio-hmac',
      keyId: 'k',
      method: 'GET',
      url: 'https://x/y',
      fields: [{ name: 'Authorization', value: expect.stringMatching(/^USTUDIO-HMAC-V2 k [0-9a-f]{64}$/) }],
    })
  })

  it('takes the secret from the environment, a file or standard input, less one line break', async () => {
    const args = ['sign', '--key', 'k', '--scheme', 'ustudio-hmac', 'https://x/y']
    const expected = await countersign(args)
    const none = { env: {} }
    expect(await countersign([...args, '--secret-file', file('plain', `${secret}\n`)], none)).toEqual(
      expected,
    )
    expect(await countersign([...args, '--secret-file', '-'], { ...none, input: `${secret}\r\n` })).toEqual(
      expected,
    )
    const hex = file('hex', Buffer.from(secret).toString('hex'))
    expect(await countersign([...args, '--secret-file', hex, '--secret-encoding', 'hex'], none)).toEqual(
      expected,
    )
    expect(await countersign([...args, '--secret-file', file('two', `${secret}\n\n`)], none)).not.toEqual(
      expected,
    )
  })

  it('refuses a secret as argument, and repeats it nowhere', async () => {
    for (const args of [
      ['--secret', secret],
      [`--secret=${secret}`],
      [`--secrte=${secret}`],
      [`--password=${secret}`],
    ]) {
      for (const json of [[], ['--json']]) {
        const { exitCode, out, err } = await countersign([
          'sign',
          '--key',
          'k',
          ...json,
          ...args,
          'https://x/',
        ])
        expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
        expect(err).not.toContain('a secret of')
        if (!args[0]?.startsWith('--secrte'))
          expect(err).toContain('use --secret-file, $COUNTERSIGN_SECRET or standard')
        expect(err.trim().split('\n').length).toBe(1)
      }
    }
  })
})

const rfcRequest = `POST /foo?param=Value&Pet=dog HTTP/1.1
Host: example.com
Date: Tue, 20 Apr 2021 02:07:55 GMT
Content-Type: application/json
Content-Digest: sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
Content-Length: 18
Signature-Input: sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"
Signature: sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:

{"hello": "world"}
`
const rfcKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
`

describe('countersign verify', () => {
  const rfcArgs = () => [
    ...['verify', '--key', 'test-key-ed25519', '--public-key-file', file('ed25519.pem', rfcKey)],
    ...['--cover', '@method', '--digest', 'if-covered'],
  ]

  it('verifies the request of RFC 9421 appendix B.2.6 as of its time', async () => {
    const args = [...rfcArgs(), '--at', '2021-04-20T02:08:00Z', file('b26.http', rfcRequest)]
    expect(await countersign(args, { env: {} })).toEqual({
      exitCode: 0,
      out: `verified
  key      test-key-ed25519
  scheme   rfc9421
  covers   date, @method, @path, @authority, content-type, content-length
  created  2021-04-20T02:07:53Z
`,
      err: '',
    })
  })

  it('refuses it today, changed, and under the strict minimum', async () => {
    const at = ['--at', '1618884480']
    const cases: readonly (readonly [readonly string[], string, string])[] = [
      [rfcArgs(), rfcRequest, 'created-stale'],
      [[...rfcArgs(), ...at], rfcRequest.replace('POST /', 'PUT /'), 'signature-mismatch'],
      [[...rfcArgs(), ...at], rfcRequest.replace('Host:', 'Host: two\nHost:'), 'message-malformed'],
      [[...rfcArgs(), ...at], rfcRequest.replace(/Host:.*\n/, ''), 'message-malformed'],
      [[...rfcArgs().slice(0, 5), ...at], rfcRequest, 'coverage-missing'],
    ]
    for (const [args, input, reason] of cases) {
      const { exitCode, out, err } = await countersign([...args, '--json'], { env: {}, input })
      expect({ exitCode, err, ...JSON.parse(out) }).toMatchObject({ exitCode: 1, err: '', ok: false, reason })
    }
  })

  it('verifies what sign has signed, and says what to try where it cannot know', async () => {
    const { out: fields } = await countersign(['sign', '--key', 'k', 'http://x:8080/y'])
    const input = `GET /y HTTP/1.1\nHost: x:8080\n${fields}\n`
    expect((await countersign(['verify', '--key', 'k', '--url-scheme', 'http'], { input })).exitCode).toBe(0)
    const { exitCode, out } = await countersign(['verify', '--key', 'k'], { input })
    expect(exitCode).toBe(1)
    expect(out).toContain('hint     judged as https; if it came over http: --url-scheme http')
  })

  it('escapes what a request could do to a terminal', async () => {
    const input = 'GET / HTTP/1.1\nHost: x\nAuthorization: USTUDIO-HMAC-V2 \x1b[31mk\x9b ab\n\n'
    const { exitCode, out, err } = await countersign(['verify', '--key', 'k'], { input })
    expect(exitCode).toBe(1)
    for (const character of ['\x1b', '\x9b']) expect(out + err).not.toContain(character)
  })

  it('ends with 2 where there is nothing to judge', async () => {
    const cases: readonly (readonly [readonly string[], string, string])[] = [
      [['verify', '--key', 'k'], 'not http', 'line 1: expected a request line'],
      [['verify', '--key', 'k'], '', 'line 1: expected a request line'],
      [['verify', '--key', 'k', join(directory, 'absent')], '', 'cannot read'],
      [['verify', '--key', 'k', directory], '', 'is no plain file'],
      [['verify', '--key', 'k', '/dev/zero'], '', 'is no plain file'],
      [['verify'], rfcRequest, 'no key: give --key'],
      [['verify', '--key', 'k', '--right', 'a'], rfcRequest, '--right needs --data-dir'],
      [['verify', '--key', 'k', '--data-dir', directory], rfcRequest, '--data-dir looks keys up itself'],
      [['verify', '--data-dir', join(directory, 'typo')], rfcRequest, 'there are no credentials'],
      [['verify', '--key', 'k', '--max-age', '25h'], rfcRequest, 'Expected at most 24h.'],
      [['verify', '--key', 'k', '--secret-file', '-'], rfcRequest, 'cannot both read standard input'],
    ]
    for (const [args, input, message] of cases) {
      const { exitCode, out, err } = await countersign(args, { input })
      expect({ exitCode, out, lines: err.split('\n').length }, args.join(' ')).toEqual({
        exitCode: 2,
        out: '',
        lines: 2,
      })
      expect(err).toContain(message)
      expect(JSON.parse((await countersign([...args, '--json'], { input })).err)).toEqual({
        error: { code: 'misuse', message: err.slice('countersign: '.length, -1) },
      })
    }
  })
})

describe('countersign', () => {
  it('waits for standard input no longer than it may', async () => {
    const input = new Readable({ read() {} })
    input.push('GET / HTTP/1.1\n')
    let err = ''
    const exitCode = await run(['verify', '--key', 'k'], {
      env: { COUNTERSIGN_SECRET: secret },
      input,
      inputTimeoutMs: 20,
      print: () => {},
      complain: (text) => {
        err += text
      },
      clock: () => now,
      random: (byteLength) => new Uint8Array(byteLength),
      stopped: () => Promise.resolve('SIGTERM'),
    })
    expect({ exitCode, err }).toEqual({
      exitCode: 2,
      err: 'countersign: the request: standard input did not end within 0.02 seconds\n',
    })
    expect(input.destroyed).toBe(true)
  })

  it('says that nothing is piped in, instead of waiting for a person to type', async () => {
    const { err } = await countersign(['verify', '--key', 'k'], { isTTY: true })
    expect(err).toBe('countersign: the request: nothing is piped into standard input\n')
  })

  it('prints help with examples for every command', async () => {
    const commands = [[], ['serve'], ['keys'], ['sign'], ['verify'], ['curl']]
    const keys = ['create', 'list', 'show', 'rotate', 'revoke'].map((name) => ['keys', name])
    for (const command of [...commands, ...keys]) {
      const { exitCode, out, err } = await countersign([...command, '--help'])
      expect({ exitCode, err }, command.join(' ')).toEqual({ exitCode: 0, err: '' })
      expect(out).toContain(`Usage: ${['countersign', ...command].join(' ')}`)
      expect(out).toContain('Examples:\n  $ ')
    }
  })

  it('says in one line what is wrong with a command line', async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [[], 'no command; countersign --help lists them'],
      [['keys'], 'no command; countersign keys --help lists them'],
      [['bogus'], "unknown command 'bogus'"],
      [['sign', 'https://x/'], "required option '--key <id>' not specified"],
      [['sign', '--key', 'k'], "missing required argument 'url'"],
      [['sign', '--key', 'k', '/path'], 'expected an absolute URL such as https://api.example.com/path'],
      [
        ['sign', '--key', 'k', '-H', 'no colon', 'https://x/'],
        '--header: expected "Name: value" on one line',
      ],
      [
        ['sign', '--key', 'k', '--cover', '@bogus', 'https://x/'],
        'rfc9421 covers: "@bogus" is not a component that can be signed',
      ],
      [['sign', '--key', 'k', '--cover', 'x-absent', 'https://x/'], 'x-absent'],
      [['serve'], 'nothing to serve: give --config <path>, or --demo'],
      [['serve', '--demo', '--listen', 'x:99999'], 'Expected host:port, such as 127.0.0.1:8080.'],
      [['curl', '--key', 'k', 'http://x/', '-L'], 'curl -L: a redirect has to be signed anew'],
    ]
    for (const [args, message] of cases) {
      const { exitCode, out, err } = await countersign(args)
      expect({ exitCode, out, lines: err.split('\n').length }, args.join(' ')).toEqual({
        exitCode: 2,
        out: '',
        lines: 2,
      })
      expect(err).toContain(message)
    }
  })

  it('takes --json as its own only where it is its own option', async () => {
    const own: readonly (readonly string[])[] = [
      ['keys', '--json'],
      ['keys', '--json', 'show'],
      ['sign', '--json'],
      ['sign', '--key', 'k', '--scheme', 'bogus', '--json', 'https://x/'],
      ['curl', '--json', '--key', 'k', 'http://x/', '-L'],
      ['sign', '--json', '--secret', secret, 'https://x/'],
    ]
    for (const args of own) {
      const { exitCode, err } = await countersign(args)
      expect([exitCode, JSON.parse(err).error.code], args.join(' ')).toEqual([2, 'misuse'])
    }
    const foreign: readonly (readonly string[])[] = [
      ['curl', '--key', 'k', 'http://x/', '--json', '{}', '-L'],
      ['curl', '--key', '--json', 'http://x/', '-L'],
      ['sign', '--key', 'k', '--data', '--json', '/path'],
      ['sign', '--', '--json'],
    ]
    for (const args of foreign) {
      const { exitCode, err } = await countersign(args)
      expect([exitCode, err], args.join(' ')).toEqual([2, expect.stringMatching(/^countersign: /)])
    }
    const signed = await countersign(['sign', '--key', 'k', '--data', '--json', 'https://x/'])
    expect(signed.out).toMatch(/^Content-Digest: /)
    expect(JSON.parse((await countersign(['keys', '--json'])).err).error.message).toMatch(/keys --help/)
  })

  it('tells each problem of a configuration on a line of its own', async () => {
    const path = file(
      'gateway.yaml',
      'upstrem: echo\nroutes: [{ path: / }]\npolicy: { algorithms: [rot13] }\n',
    )
    const { exitCode, out, err } = await countersign(['serve', '--config', path])
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toBe(`countersign: the configuration has 3 problem(s)
  ${path}:1:1 upstrem: is not a known setting
  ${path}:2:10 routes[0]: expected an upstream, here or at the top
  ${path}:3:24 policy.algorithms[0]: expected the name of an algorithm
`)
    const asJson = await countersign(['serve', '--config', path, '--json'])
    expect(JSON.parse(asJson.err).error).toEqual({
      code: 'config-invalid',
      message: 'the configuration has 3 problem(s)',
      problems: [
        `${path}:1:1 upstrem: is not a known setting`,
        expect.stringContaining('routes[0]'),
        expect.stringContaining('policy.algorithms[0]'),
      ],
    })
  })

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    expect(await countersign(['--version'])).toEqual({ exitCode: 0, out: `${version}\n`, err: '' })
  })
})
