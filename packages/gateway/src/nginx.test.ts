import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Recorder, startRecorder } from './proving/recorder.ts'
import { requestBytes, type SignedInput, signedRequest, testCredential } from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { openSocket, sendBytes } from './proving/wire.ts'

const program = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find(existsSync)
const mayNotSkip = process.env.COUNTERSIGN_NO_SKIPS === '1'
// Set by whoever runs the tests where nginx is absent and cannot be installed.
const isKnownAbsent = process.env.COUNTERSIGN_NGINX === 'absent'

if (program === undefined) {
  console.warn('nginx is not installed (apt-get install nginx-light): forward-auth is not proven against it')
}

if (program === undefined && mayNotSkip && isKnownAbsent) {
  describe('nginx', () => {
    it('is absent, as this run was told', () => {
      expect(existsSync('/usr/sbin/nginx')).toBe(false)
    })
  })
} else if (program === undefined && !mayNotSkip) {
  describe.skip('a real nginx with auth_request', proveAuthRequest)
} else {
  describe('a real nginx with auth_request', proveAuthRequest)
}

function proveAuthRequest(): void {
  let directory = ''
  let nginx: ChildProcess | undefined
  let stand: Stand
  let service: Recorder
  let port = 0

  beforeAll(async () => {
    expect(program, 'nginx has to be installed where no test may be skipped').toBeDefined()
    directory = mkdtempSync(join(tmpdir(), 'nginx-test-'))
    mkdirSync(join(directory, 'logs'))
    service = await startRecorder()
    stand = await startStand({
      env: { HOP_SECRET: 'known to nginx and gateway' },
      config: {
        routes: [
          { path: '/' },
          { path: '/hooks', forwardAuth: { body: 'unchecked' } },
          { path: '/admin', rights: ['admin'] },
        ],
        forwardAuth: { trustedHops: ['127.0.0.1'], secretEnv: 'HOP_SECRET', fields: 'x-original' },
      },
    })
    port = await freePort()
    writeFileSync(join(directory, 'nginx.conf'), configuration(port, stand.port, service.origin))
    nginx = spawn(program ?? '', ['-p', directory, '-c', 'nginx.conf', '-g', 'daemon off;'], {
      stdio: 'inherit',
    })
    for (;;) {
      try {
        ;(await openSocket(port)).destroy()
        break
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  })
  afterAll(async () => {
    if (nginx !== undefined) {
      nginx.kill('SIGTERM')
      await once(nginx, 'exit')
    }
    await stand?.close()
    await service?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const ask = async (input: SignedInput, change: (text: string) => string = (text) => text) => {
    service.forget()
    const host = `localhost:${port}`
    const bytes = requestBytes(await signedRequest({ host, ...input })).toString('latin1')
    const answer = await sendBytes(port, change(bytes))
    return { status: answer.status, outcome: stand.outcome(), seen: service.requests[0], answer }
  }

  it('passes a signed request on, with who called', async () => {
    const { status, seen } = await ask({ target: '/invoices?id=7&x=%7e' })
    expect([status, seen?.target]).toEqual([200, '/invoices?id=7&x=%7e'])
    expect(seen?.fields).toContainEqual(['X-Countersign-Key', testCredential.id])
    expect(seen?.fields).toContainEqual(['X-Countersign-Rights', 'invoices:read,invoices:write'])
  })

  it('does not let a client say who it is', async () => {
    const { status, seen } = await ask({
      fields: [
        ['X-Countersign-Key', 'admin'],
        ['X-Countersign-Owner', 'root'],
        ['X-Countersign-Scheme', 'none'],
        ['X_Countersign_Key', 'admin'],
      ],
    })
    expect([
      status,
      seen?.fields.filter(([name]) => /countersign.(?:key|owner|rights|scheme)/i.test(name)),
    ]).toEqual([
      200,
      [
        ['X-Countersign-Key', testCredential.id],
        ['X-Countersign-Owner', 'Ada%20Lovelace'],
        ['X-Countersign-Rights', 'invoices:read,invoices:write'],
        ['X-Countersign-Scheme', 'rfc9421'],
      ],
    ])
  })

  it.each([
    ['another target', {}, (text: string) => text.replace('id=7', 'id=8'), 401, 'signature-mismatch'],
    ['another method', {}, (text: string) => text.replace(/^GET/, 'DELETE'), 401, 'signature-mismatch'],
    [
      'no signature',
      {},
      (text: string) => text.replace(/Signature[^\r]*\r\n/gi, ''),
      401,
      'signature-absent',
    ],
    ['a right that is lacking', { target: '/admin' }, undefined, 403, 'right-missing'],
    [
      'content that the gateway does not see',
      { method: 'POST', body: Buffer.from('x') },
      undefined,
      401,
      'content-unseen',
    ],
    ...(['GET', 'DELETE', 'OPTIONS'] as const).flatMap((method) =>
      [
        'Content-Length: 3\r\n\r\nabc',
        'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
        // The fields by which nginx tells of content are not for clients to say.
        'X-Original-Content-Length: 0\r\nX-Original-Protocol: HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc',
        'X-Original-Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      ].map(
        (ending) =>
          [
            `content that nobody signed, of a ${method} that ends ${JSON.stringify(ending)}`,
            { method },
            (text: string) => text.replace(/\r\n\r\n$/, `\r\n${ending}`),
            401,
            'content-unseen',
          ] as const,
      ),
    ),
    ['dot segments', { target: '/x/../admin' }, undefined, 401, 'original-request-unknown'],
    [
      'what the client says of its target',
      {
        fields: [
          ['X-Original-URI', '/public'],
          ['X-Original-Method', 'GET'],
        ],
      },
      (text: string) => text.replace('id=7', 'id=8'),
      401,
      'signature-mismatch',
    ],
    [
      'what is signed for another host, whatever the client says of its host',
      { host: 'another.example.test', fields: [['X-Forwarded-Host', 'another.example.test']] },
      (text: string) => text.replace(/^Host: [^\r]*/m, 'Host: localhost'),
      401,
      'signature-mismatch',
    ],
    [
      'fields of another proxy',
      { fields: [['X-Forwarded-Uri', '/public']] },
      undefined,
      401,
      'original-request-unknown',
    ],
  ] as const)('refuses %s', async (_what, input, change, status, outcome) => {
    const result = await ask(input, change)
    expect([result.status, result.outcome, result.seen]).toEqual([status, outcome, undefined])
  })

  it.each(['GET', 'HEAD', 'DELETE', 'POST'])('passes a %s without content on', async (method) => {
    const { status, seen } = await ask({ method })
    expect([status, seen?.method, seen?.body.length]).toEqual([200, method, 0])
    const zero = await ask({ method }, (text) => text.replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n'))
    expect([zero.status, zero.seen?.method]).toEqual([200, method])
  })

  it('passes content on where the route takes it unchecked', async () => {
    const body = Buffer.from('{"event":"paid"}')
    const { status, seen } = await ask({ method: 'POST', target: '/hooks/1', body })
    expect([status, seen?.body.toString()]).toEqual([200, '{"event":"paid"}'])
  })

  it('does not show its question to clients', async () => {
    const { status, seen } = await ask({ target: '/countersign' })
    expect([status, seen]).toEqual([404, undefined])
  })
}

/** The configuration that the README shows, with the addresses of this test. */
function configuration(port: number, gatewayPort: number, origin: string): string {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const shown =
    /```nginx\n([^`]+)```/.exec(readme)?.[1] ?? expect.fail('the README shows no nginx configuration')
  const locations = shown
    .replace('http://service', origin)
    .replace('127.0.0.1:8080', `127.0.0.1:${gatewayPort}`)
    .replace('the secret', 'known to nginx and gateway')
  return `worker_processes 1;
error_log logs/error.log;
pid nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path logs; proxy_temp_path logs; fastcgi_temp_path logs; uwsgi_temp_path logs; scgi_temp_path logs;
  server {
    listen 127.0.0.1:${port};
    ${locations}
  }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
