import { readFileSync } from 'node:fs'
import { type Credential, type CredentialStore, createVerifier, ustudioHmac } from 'countersign'
import { type SeedCase, type SeedFile, seedBytes, seedRequest } from 'countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

const path = new URL('../../../vectors/ustudio-hmac/seed.json', import.meta.url)
const file: SeedFile = JSON.parse(readFileSync(path, 'utf8'))

const credentialsOf = ({ server }: SeedCase): readonly Credential[] =>
  (server.credentials ?? []).map(({ id, secret }) => ({ id: id ?? '', secret: secret ?? '' }))

/** Cases by the credentials that the original knew. */
const groups = new Map<string, SeedCase[]>()
for (const one of file.cases) {
  const key = JSON.stringify(credentialsOf(one))
  groups.set(key, [...(groups.get(key) ?? []), one])
}

/** The request as the original's client put it on the wire. */
function wireBytes({ request }: SeedCase): Buffer {
  const lines = [`${request.method} ${request.target} HTTP/1.1`]
  for (const [name, value] of request.headers) lines.push(`${name}: ${value}`)
  lines.push('Connection: close', '', '')
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), seedBytes(request.bodyBase64)])
}

let judged = 0

describe.each([...groups.values()].map((cases) => ({ ids: cases.map(({ id }) => id).join(' '), cases })))(
  'over TCP as in the library: $ids',
  ({ cases }) => {
    let stand: Stand
    const [first] = cases
    // As the original's lookup method: unlike the library's own stores it does not mind an empty secret; the verifier does.
    const known = first === undefined ? [] : credentialsOf(first)
    const credentials: CredentialStore = { find: (keyId) => known.find(({ id }) => id === keyId) }
    const verifier = createVerifier({ schemes: [ustudioHmac()], credentials })
    beforeAll(async () => {
      stand = await startStand({
        credentials,
        config: { schemes: ['ustudio-hmac'], targets: 'as-sent' },
      })
    })
    afterAll(() => stand.close())

    it.each(cases.map((one) => [one.id, one.description, one] as const))(
      '%s %s',
      async (_id, _description, one) => {
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
        }
        judged++
      },
    )
  },
)

describe('the recorded requests', () => {
  it('were all judged', () => {
    expect([judged, file.cases.length]).toEqual([96, 96])
  })
})
