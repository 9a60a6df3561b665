import { createSigner, oauthMac, requestMessage } from 'countersign'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testCredential } from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

describe.each([
  ['oauth-mac', oauthMac()],
  ['django-auth-mac', oauthMac({ profile: 'django-auth-mac' })],
] as const)('4.04 4.07 a gateway that accepts %s', (name, scheme) => {
  const signer = createSigner({ scheme, credential: testCredential })
  let stand: Stand
  beforeAll(async () => {
    stand = await startStand({ config: { schemes: [name] } })
  })
  afterAll(() => stand.close())

  /** A request with content as its client put it on the wire. */
  async function signedBytes(): Promise<string> {
    const url = 'http://api.example.test/my%20items?page=2'
    const { set } = await signer.sign(requestMessage({ method: 'POST', url, body: '{}' }))
    const fields = [['Host', 'api.example.test'], ...set, ['Content-Length', '2'], ['Connection', 'close']]
    const lines = fields.map(([field, value]) => `${field}: ${value}\r\n`)
    return `POST /my%20items?page=2 HTTP/1.1\r\n${lines.join('')}\r\n{}`
  }

  it('passes a request on once, and warns that its content is not signed', async () => {
    const bytes = await signedBytes()
    expect((await sendBytes(stand.port, bytes)).status).toBe(200)
    expect(stand.verdicts.at(-1)).toMatchObject({
      ok: true,
      warnings: expect.arrayContaining(['content-uncovered']),
    })
    const again = await sendBytes(stand.port, bytes)
    expect([again.status, stand.outcome()]).toEqual([401, 'replayed'])
    expect(again.fields.get('www-authenticate')).toBe('MAC error="Duplicate nonce"')
    expect(stand.recorder.requests).toHaveLength(1)
  })

  it('refuses another method, path and host, and who signed nothing', async () => {
    const bytes = await signedBytes()
    for (const [part, other] of [
      ['POST /', 'PUT /'],
      ['/my%20items', '/our%20items'],
      ['Host: api', 'Host: abi'],
    ] as const) {
      expect((await sendBytes(stand.port, bytes.replace(part, other))).status).toBe(401)
    }
    const bare = 'GET / HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n\r\n'
    expect((await sendBytes(stand.port, bare)).fields.get('www-authenticate')).toBe('MAC')
  })
})
