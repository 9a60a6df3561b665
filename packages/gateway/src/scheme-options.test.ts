import { createHash, createHmac } from 'node:crypto'
import {
  createSigner,
  memoryCredentials,
  memoryNonces,
  oauthMac,
  requestMessage,
  rfc9421,
  type Scheme,
  ustudioHmac,
} from 'countersign'
import { describe, expect, it } from 'vitest'
import { requestBytes, type SignedRequest, testCredential, testSecret } from './proving/signed.ts'
import { type LogLine, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

type Fields = SignedRequest['fields']

const now = 1_760_000_000
const clock = () => now
const host = 'api.example.test'
const form = 'application/x-www-form-urlencoded'
const content = 'amount=7'
const bare = requestBytes(request('GET', '/orders', []))
const today = new Date(now * 1000).toUTCString()
const wrongDay = today.replace(/^\w+/, (day) => (day === 'Mon' ? 'Tue' : 'Mon'))

const hmac = (text: string, encoding: 'hex' | 'base64' | 'base64url' = 'base64', hash = 'sha256'): string =>
  createHmac(hash, testSecret).update(text).digest(encoding)

function request(method: string, target: string, fields: Fields, body = ''): SignedRequest {
  return { method, target, fields: [['Host', host], ...fields], body: Buffer.from(body) }
}

/** Signed with the library, by a client whose clock is late. */
async function signed(
  scheme: Scheme,
  target: string,
  fields: Fields = [],
  lateSeconds = 0,
): Promise<SignedRequest> {
  const signer = createSigner({ scheme, credential: testCredential, clock: () => now - lateSeconds })
  const headers: Fields = [['Host', host], ...fields]
  const patch = await signer.sign(requestMessage({ method: 'GET', url: `http://${host}${target}`, headers }))
  return request('GET', target, [...fields, ...patch.set])
}

/** As a client of Flask-HmacAuth with SHA-256 makes it. Of a form it signs the target alone. */
function ofHmacauth(lateSeconds: number, body = ''): SignedRequest {
  const target = `/orders?ACCOUNT_ID=caller-1&TIMESTAMP=${now - lateSeconds}`
  const fields: Fields = [['X-Auth-Signature', hmac(target, 'hex')]]
  return body === ''
    ? request('GET', target, fields)
    : request('POST', target, [...fields, ['Content-Type', form]], body)
}

/** As a client of the drafts of Cavage makes it. */
function ofCavage(lines: readonly string[], method: string, target: string, body = ''): SignedRequest {
  const base = [`(request-target): ${method.toLowerCase()} /orders`, `host: ${host}`, ...lines].join('\n')
  const fields = lines.map((line): [string, string] => {
    const [name = '', ...value] = line.split(': ')
    return [name, value.join(': ')]
  })
  const names = ['(request-target)', 'host', ...fields.map(([name]) => name)].join(' ')
  const parameters = `keyId="caller-1",algorithm="hmac-sha256",headers="${names}",signature="${hmac(base)}"`
  // The connection frames the content itself.
  const sent = fields.filter(([name]) => name !== 'content-length')
  return request(method, target, [...sent, ['Authorization', `Signature ${parameters}`]], body)
}

interface Row {
  readonly what: string
  readonly entry: object
  /** An entry under which the same request is refused. */
  readonly other: unknown
  readonly made: () => SignedRequest | Promise<SignedRequest>
  readonly warns?: string
}

const listed: Fields = [['X-List', 'a,   b']]
const djangoOn8000 = () => signed(oauthMac({ profile: 'django-auth-mac', port: 8000 }), '/orders')

const rows: readonly Row[] = [
  {
    what: 'rfc9421 with a type for a field of its own',
    entry: { name: 'rfc9421', fieldTypes: { 'x-list': 'list' } },
    other: 'rfc9421',
    made: () =>
      signed(
        rfc9421({ covers: ['@method', '@target-uri', '"x-list";sf'], fieldTypes: { 'x-list': 'list' } }),
        '/orders',
        listed,
      ),
  },
  {
    what: 'flask-hmacauth with another hash and a wider window',
    entry: { name: 'flask-hmacauth', digest: 'sha256', validSeconds: 10 },
    other: { name: 'flask-hmacauth', digest: 'sha256' },
    made: () => ofHmacauth(8),
  },
  {
    what: 'flask-hmacauth with forms that nobody signed',
    entry: { name: 'flask-hmacauth', digest: 'sha256', compatible: ['unsigned-forms'] },
    other: { name: 'flask-hmacauth', digest: 'sha256' },
    made: () => ofHmacauth(0, content),
    warns: 'compatible',
  },
  {
    what: 'flask-hmac by its variant, with a field and key of its own',
    entry: { name: 'flask-hmac', variant: 'body-base64', header: 'X-Sig', keyId: 'shared' },
    other: { name: 'flask-hmac', variant: 'body-base64', header: 'X-Sig' },
    made: () => request('POST', '/orders', [['X-Sig', hmac(content)]], content),
  },
  {
    what: 'flask-hmac by the name of a variant, in hex with SHA-512',
    entry: { name: 'flask-hmac-path', keyId: 'shared', digest: 'sha512', encoding: 'hex' },
    other: { name: 'flask-hmac-path', keyId: 'shared' },
    made: () => request('GET', '/orders', [['HMAC', hmac('/orders', 'hex', 'sha512')]]),
  },
  {
    what: 'oauth-mac of Django, on its own port',
    entry: { name: 'oauth-mac', profile: 'django-auth-mac', port: 8000 },
    other: 'django-auth-mac',
    made: djangoOn8000,
  },
  {
    what: 'django-auth-mac, on its own port',
    entry: { name: 'django-auth-mac', port: 8000 },
    other: 'oauth-mac',
    made: djangoOn8000,
  },
  {
    what: 'oauth-mac for a client whose clock is an hour late',
    entry: { name: 'oauth-mac', clockOffsetSeconds: { 'caller-1': 3600 } },
    other: { name: 'oauth-mac', clockOffsetSeconds: { 'caller-2': 3600 } },
    made: () => signed(oauthMac(), '/orders', [], 3600),
  },
  {
    what: 'oauth-mac for clients without a clock',
    entry: { name: 'oauth-mac', compatible: ['any-time'], rememberSeconds: 3600 },
    other: 'oauth-mac',
    made: () => signed(oauthMac(), '/orders', [], 86_400),
    warns: 'time-unchecked',
  },
  {
    what: 'cavage with dates of the wrong weekday',
    entry: { name: 'cavage', compatible: ['date-weekday'] },
    other: 'cavage',
    made: () => ofCavage([`date: ${wrongDay}`], 'GET', '/orders'),
    warns: 'compatible',
  },
  {
    what: 'cavage with less to sign',
    entry: { name: 'cavage', headers: { GET: ['(request-target)', 'host', 'date'], '*': ['date'] } },
    other: { name: 'cavage', headers: ['(request-target)', 'host', 'date', 'x-api'] },
    made: () => ofCavage([`date: ${today}`], 'GET', '/orders'),
  },
  {
    what: 'flask-cavage with queries that nobody signed',
    entry: { name: 'flask-cavage', compatible: ['unsigned-query'] },
    other: 'flask-cavage',
    made: () => {
      const digest = `SHA-256=${createHash('sha256').update(content).digest('base64')}`
      const described = [`content-length: ${content.length}`, `content-type: ${form}`, `digest: ${digest}`]
      return ofCavage([`date: ${today}`, ...described], 'POST', '/orders?page=2', content)
    },
    warns: 'query-uncovered',
  },
  {
    what: 'ustudio-hmac that takes what the original takes',
    entry: { name: 'ustudio-hmac', query: 'compatible' },
    other: { name: 'ustudio-hmac', query: 'strict' },
    made: () => signed(ustudioHmac(), '/orders?a=1&a=2'),
  },
]

/** What becomes of a request on a route with one scheme, and what the log says. */
async function judged(
  entry: unknown,
  bytes: Buffer,
): Promise<{ readonly status: number; readonly passed: number; readonly lines: readonly LogLine[] }> {
  const stand = await startStand({
    config: { routes: [{ path: '/', name: 'orders', schemes: [entry] }] },
    credentials: memoryCredentials([testCredential, { id: 'shared', secret: testSecret }]),
    nonces: memoryNonces({ clock }),
    clock,
  })
  try {
    const { status } = await sendBytes(stand.port, bytes)
    return { status, passed: stand.recorder.requests.length, lines: stand.lines }
  } finally {
    await stand.close()
  }
}

describe('a scheme with options', () => {
  it.each(rows.map((row) => [row.what, row] as const))(
    '%s: what it is for passes over TCP, and under another setting does not',
    async (_what, { entry, other, made, warns }) => {
      const bytes = requestBytes(await made())
      const { status, passed, lines } = await judged(entry, bytes)
      expect([status, passed]).toEqual([200, 1])
      const accepted = lines.find(({ message }) => message === 'accepted')
      expect(accepted).toMatchObject({ route: 'orders', path: '/orders' })
      if (warns !== undefined) expect(String(accepted?.warnings).split(', ')).toContain(warns)
      const refused = await judged(other, bytes)
      expect(refused.status).toBeGreaterThanOrEqual(401)
      expect(refused.passed).toBe(0)
    },
  )

  it('says at start which forms of old clients a route admits, in one line, and else nothing of them', async () => {
    const forms = ['unsigned-forms', 'leading-slashes']
    const { lines } = await judged({ name: 'flask-hmacauth', compatible: forms }, bare)
    const said = lines.filter((line) => 'compatible' in line)
    expect(said).toEqual([
      {
        level: 'warn',
        route: 'orders',
        scheme: 'flask-hmacauth',
        compatible: 'unsigned-forms, leading-slashes',
        message: 'forms of old clients are admitted that the scheme by default refuses',
      },
    ])
    const { lines: others } = await judged('flask-hmacauth', bare)
    expect(others.filter((line) => 'compatible' in line)).toEqual([])
  })

  it('has no warnings in the line of a request whose scheme leaves nothing open', async () => {
    const { lines } = await judged('rfc9421', requestBytes(await signed(rfc9421(), '/orders')))
    expect(lines.find(({ message }) => message === 'accepted')?.warnings).toBeUndefined()
  })
})
