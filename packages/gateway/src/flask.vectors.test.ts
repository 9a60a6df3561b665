import { readFileSync } from 'node:fs'
import {
  type Credential,
  type CredentialStore,
  createVerifier,
  flaskHmac,
  flaskHmacauth,
  type Scheme,
} from 'countersign'
import { type SeedCase, type SeedFile, seedBytes, seedRequest } from 'countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

const vectors = (name: string): readonly SeedCase[] => {
  const file: SeedFile = JSON.parse(
    readFileSync(new URL(`../../../vectors/${name}/seed.json`, import.meta.url), 'utf8'),
  )
  return file.cases
}

/** Keys that the originals knew in most cases. Those of the others are refused here as in the library, which is compared. */
const known: readonly Credential[] = [
  { id: 'admin', secret: 'adm1n-s3cret', rights: ['create', 'edit', 'view'] },
  { id: 'team/a&b', secret: 'k' },
  { id: 'default', secret: 's3cr3tk3y' },
  { id: 'a', secret: 'f00' },
  { id: 'b', secret: 'b4r' },
]
const credentials: CredentialStore = { find: (keyId) => known.find(({ id }) => id === keyId) }

/** The request as its client put it on the wire. */
function wireBytes({ request }: SeedCase): Buffer {
  const lines = [`${request.method} ${request.target} HTTP/1.1`]
  for (const [name, value] of request.headers) lines.push(`${name}: ${value}`)
  lines.push('Connection: close', '', '')
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), seedBytes(request.bodyBase64)])
}

const flask = vectors('flask-hmac')
const of = (variant: string) => flask.filter(({ server }) => server.variant === variant)
const groups: readonly (readonly [
  name: string,
  scheme: Scheme,
  cases: readonly SeedCase[],
  accepted: number,
])[] = [
  ['flask-hmacauth', flaskHmacauth(), vectors('flask-hmacauth'), 50],
  ['flask-hmac-path', flaskHmac({ variant: 'path' }), of('path'), 20],
  ['flask-hmac-body-base64url', flaskHmac({ variant: 'body-base64url' }), of('body-base64url'), 6],
  ['flask-hmac-body-base64', flaskHmac({ variant: 'body-base64' }), of('body-base64'), 20],
  ['flask-hmac-named-base64url', flaskHmac({ variant: 'named-base64url' }), of('named-base64url'), 2],
  ['flask-hmac-named-base64', flaskHmac({ variant: 'named-base64' }), of('named-base64'), 8],
]

describe.each(groups)('over TCP as in the library: %s', (name, scheme, cases, most) => {
  let stand: Stand
  let now = 0
  let accepted = 0
  const clock = () => now
  const verifier = createVerifier({ schemes: [scheme], credentials, clock })
  beforeAll(async () => {
    stand = await startStand({ credentials, clock, config: { schemes: [name], targets: 'as-sent' } })
  })
  afterAll(() => stand.close())

  it.each(cases.map((one) => [one.id, one.description, one] as const))(
    '%s %s',
    async (_id, _description, one) => {
      now = Math.floor(one.clock)
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
    expect(accepted).toBeGreaterThanOrEqual(most)
  })
})
