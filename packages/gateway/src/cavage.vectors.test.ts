import { readFileSync } from 'node:fs'
import {
  type Credential,
  type CredentialStore,
  cavage,
  createSigner,
  createVerifier,
  requestMessage,
} from 'countersign'
import { type SeedCase, type SeedFile, seedBytes, seedRequest } from 'countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testCredential } from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

const file: SeedFile = JSON.parse(
  readFileSync(new URL('../../../vectors/cavage/seed.json', import.meta.url), 'utf8'),
)

const credentialsOf = ({ server }: SeedCase): readonly Credential[] =>
  (server.credentials ?? []).map(({ id, secret, publicKeyPem }) => ({
    id: id ?? '',
    ...(secret === undefined ? { key: String(publicKeyPem) } : { secret }),
  }))

/** The request as the original's client put it on the wire. */
function wireBytes({ request }: SeedCase): Buffer {
  const lines = [`${request.method} ${request.target} HTTP/1.1`]
  for (const [name, value] of request.headers) lines.push(`${name}: ${value}`)
  lines.push('Connection: close', '', '')
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), seedBytes(request.bodyBase64)])
}

describe('flask-cavage over TCP as in the library', () => {
  let stand: Stand
  let now = 0
  let known: readonly Credential[] = []
  let accepted = 0
  const clock = () => now
  const credentials: CredentialStore = { find: (keyId) => known.find(({ id }) => id === keyId) }
  const verifier = createVerifier({ schemes: [cavage({ profile: 'flask-cavage' })], credentials, clock })
  beforeAll(async () => {
    stand = await startStand({
      credentials,
      clock,
      config: { schemes: ['flask-cavage'], targets: 'as-sent' },
    })
  })
  afterAll(() => stand.close())

  it.each(file.cases.map((one) => [one.id, one.description, one] as const))(
    '%s %s',
    async (_id, _description, one) => {
      now = one.clock
      known = credentialsOf(one)
      stand.recorder.forget()
      const verdict = await verifier.verify(seedRequest(one.request))
      const answer = await sendBytes(stand.port, wireBytes(one))
      expect(stand.outcome()).toBe(verdict.ok ? 'ok' : verdict.reason)
      expect(answer.status).toBe(verdict.ok ? 200 : verdict.status)
      expect(stand.recorder.requests).toHaveLength(verdict.ok ? 1 : 0)
      const [seen] = stand.recorder.requests
      if (seen === undefined) expect(stand.recorder.bytes).toBe(0)
      else {
        expect([seen.method, seen.target]).toEqual([one.request.method, one.request.target])
        expect(seen.body.equals(seedBytes(one.request.bodyBase64))).toBe(true)
        accepted++
      }
    },
  )

  it('lets in those that are honest', () => {
    expect(accepted).toBeGreaterThanOrEqual(60)
  })
})

describe('a gateway that accepts cavage', () => {
  const signer = createSigner({ scheme: cavage(), credential: testCredential })
  let stand: Stand
  beforeAll(async () => {
    stand = await startStand({ config: { schemes: ['cavage'] } })
  })
  afterAll(() => stand.close())

  it('5.01 passes on what is signed, its content compared, and challenges who signed nothing', async () => {
    const url = 'http://api.example.test/inbox?page=2'
    const { set } = await signer.sign(requestMessage({ method: 'POST', url, body: '{}' }))
    const fields = [['Host', 'api.example.test'], ...set, ['Content-Length', '2'], ['Connection', 'close']]
    const lines = fields.map(([field, value]) => `${field}: ${value}\r\n`)
    const bytes = `POST /inbox?page=2 HTTP/1.1\r\n${lines.join('')}\r\n{}`
    expect((await sendBytes(stand.port, bytes)).status).toBe(200)
    expect(stand.verdicts.at(-1)).toMatchObject({ ok: true, warnings: [] })
    expect((await sendBytes(stand.port, bytes.replace(/\{\}$/, '[]'))).status).toBe(401)
    expect(stand.outcome()).toBe('digest-mismatch')
    const bare = 'GET / HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n\r\n'
    expect((await sendBytes(stand.port, bare)).fields.get('www-authenticate')).toBe(
      'Signature realm="HTTP-Signatures",headers="(request-target) host date"',
    )
    expect(stand.recorder.requests).toHaveLength(1)
  })
})
