import { readFileSync } from 'node:fs'
import {
  type Credential,
  type CredentialStore,
  createVerifier,
  memoryNonces,
  type NonceStore,
  type OauthMacCompatible,
  oauthMac,
} from 'countersign'
import { type SeedCase, type SeedRequest, seedBytes, seedRequest } from 'countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

interface MacCase extends SeedCase {
  /** Requests sent earlier to the same server. */
  readonly prelude?: readonly { readonly request: SeedRequest }[]
}

const file: { readonly cases: readonly MacCase[] } = JSON.parse(
  readFileSync(new URL('../../../vectors/oauth-mac/seed.json', import.meta.url), 'utf8'),
)

const credentialsOf = ({ server }: SeedCase): readonly Credential[] =>
  (server.credentials ?? []).map(({ id, secret, expiresAt }) => ({
    id: String(id),
    secret: String(secret),
    expiresAt: Number(expiresAt),
  }))

/** The request as the original's client put it on the wire. */
function wireBytes(request: SeedRequest): Buffer {
  const lines = [`${request.method} ${request.target} HTTP/1.1`]
  for (const [name, value] of request.headers) lines.push(`${name}: ${value}`)
  lines.push('Connection: close', '', '')
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), seedBytes(request.bodyBase64)])
}

const forms: readonly OauthMacCompatible[] = [
  'any-time',
  'loose-separators',
  'loose-timestamp',
  'unknown-parameters',
  'encoded-slash',
  'unsigned-ext',
]
const portOf = ({ server }: SeedCase): number => Number(server.port)
const ports = [...new Set(file.cases.map(portOf))]
const groups = ports.flatMap((port) => [
  { port, compatible: [], what: 'no forms' as const },
  { port, compatible: forms, what: 'every form' as const },
])
const accepted = { 'no forms': new Set<string>(), 'every form': new Set<string>() }

describe.each(groups)(
  'django-auth-mac over TCP as in the library: port $port, $what of old clients',
  ({ port, compatible, what }) => {
    let stand: Stand
    let now = 0
    let known: readonly Credential[] = []
    const clock = () => now
    const credentials: CredentialStore = { find: (keyId) => known.find(({ id }) => id === keyId) }
    let seen = memoryNonces({ clock })
    const nonces: NonceStore = { record: (nonce, expiresAt) => seen.record(nonce, expiresAt) }
    const options = { profile: 'django-auth-mac', port, compatible } as const
    beforeAll(async () => {
      const config = { schemes: [{ name: 'oauth-mac', ...options }], targets: 'as-sent' }
      stand = await startStand({ credentials, nonces, clock, config })
    })
    afterAll(() => stand.close())

    it.each(file.cases.filter((one) => portOf(one) === port).map((one) => [one.id, one.description, one]))(
      '%s %s',
      async (_id, _description, one) => {
        now = one.clock
        known = credentialsOf(one)
        seen = memoryNonces({ clock })
        const verifier = createVerifier({
          schemes: [oauthMac(options)],
          credentials,
          nonces: memoryNonces({ clock }),
          clock,
        })
        for (const { request } of one.prelude ?? []) {
          await verifier.verify(seedRequest(request))
          await sendBytes(stand.port, wireBytes(request))
        }
        stand.recorder.forget()
        const verdict = await verifier.verify(seedRequest(one.request))
        const answer = await sendBytes(stand.port, wireBytes(one.request))
        expect(stand.outcome()).toBe(verdict.ok ? 'ok' : verdict.reason)
        expect(answer.status).toBe(verdict.ok ? 200 : verdict.status)
        expect(stand.recorder.requests).toHaveLength(verdict.ok ? 1 : 0)
        const [arrived] = stand.recorder.requests
        if (arrived === undefined) expect(stand.recorder.bytes).toBe(0)
        else {
          expect([arrived.method, arrived.target]).toEqual([one.request.method, one.request.target])
          expect(arrived.body.equals(seedBytes(one.request.bodyBase64))).toBe(true)
          accepted[what].add(one.id)
        }
      },
    )
  },
)

describe('a gateway that accepts django-auth-mac', () => {
  it('lets in those that are honest, and nine more with the forms of old clients', () => {
    const { 'no forms': usual, 'every form': more } = accepted
    expect(usual.size).toBeGreaterThanOrEqual(50)
    expect([...more].filter((id) => !usual.has(id))).toHaveLength(9)
    // Its client signs the ext, which the form `unsigned-ext` says it does not.
    expect([...usual].filter((id) => !more.has(id))).toEqual(['oauth-mac-s102'])
  })
})
