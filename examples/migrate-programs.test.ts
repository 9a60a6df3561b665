import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import {
  type Credential,
  type CredentialStore,
  cavage,
  createSigner,
  createVerifier,
  flaskHmac,
  flaskHmacauth,
  memoryCredentials,
  oauthMac,
  requestMessage,
  rfc9421,
  type Scheme,
  type Signer,
  ustudioHmac,
  type Verifier,
} from 'countersign'
import { signedFetch } from 'countersign/client/fetch'
import type { ExpressMiddleware } from 'countersign/server/express'
import type { SeedVerdict } from 'countersign/testing'
import express, { type Express } from 'express'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { compilePages, type Programs } from './proving/pages.ts'
import { seedOf } from './proving/seeds.ts'

const secret = 'a secret of these tests, thirty characters and more'
const variables = [
  'ACCESS_KEY_1',
  'ADMIN_SECRET',
  'GUEST_SECRET',
  'HMAC_KEY',
  'KEY_OF_A',
  'KEY_OF_B',
  'MAC_KEY',
]
const env = Object.fromEntries([...variables, 'STUDIO_SECRET'].map((name) => [name, secret]))

let programs: Programs
beforeAll(async () => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  programs = await compilePages({})
}, 30_000)
afterAll(() => {
  vi.unstubAllEnvs()
  programs?.remove()
})

const url = 'http://127.0.0.1:8080/items'
const now = (): number => Math.floor(Date.now() / 1000)

/** A request as it is received, signed as a client does. */
async function signed(signer: Signer) {
  const patch = await signer.sign(requestMessage({ url }))
  return requestMessage({
    url: patch.query === undefined ? url : `${url}?${patch.query}`,
    headers: patch.set,
  })
}

async function withServer(app: Express, use: (origin: string) => Promise<void>): Promise<void> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await use(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
  server.closeAllConnections()
  server.close()
}

describe.each([
  ['flask-cavage', '/items', '{"studio":"North"}'],
  ['flask-hmacauth', '/api/v1/create?foo=bar', 'created by admin'],
  ['ustudio-hmac-tornado', '/v1/videos?page=2', 'stored for studio-a'],
])('the client of the page %s', (name, path, says) => {
  it('is served by the server of the page', async () => {
    const start =
      "serve({ secretOf: async (key) => (key === 'studio-a' ? process.env.STUDIO_SECRET : undefined) })"
    const server = await programs.serve({ name, env, start: name.startsWith('ustudio') ? start : '' })
    const target = `http://127.0.0.1:${server.port}${path}`
    const there = (script: string) => script.replace('https://some.service/api/v1/resource?page=2', target)
    const client: { readonly fetch?: typeof fetch; readonly response?: () => Promise<Response> } =
      await import(programs.urlOf(name, 'signedFetch(signer)', there))
    const init = name === 'flask-cavage' ? { method: 'POST', body: '{}' } : {}
    const answer = await (client.response?.() ?? client.fetch?.(target, init))
    expect([answer?.status, await answer?.text()]).toEqual([200, says])
    await server.stop()
  }, 30_000)
})

describe.each<[string, string, Scheme, boolean]>([
  ['auth-mac', 'h480djs93hd8', oauthMac({ profile: 'django-auth-mac' }), false],
  ['flask-cavage', 'access_key_1', cavage({ profile: 'flask-cavage' }), true],
  ['flask-hmac', 'a', flaskHmac({ variant: 'named-base64' }), true],
  ['flask-hmacauth', 'admin', flaskHmacauth(), true],
  ['ustudio-hmac-tornado', 'studio-a', ustudioHmac(), true],
])('both schemes of the page %s', (name, id, old, tells) => {
  it('are accepted while clients move', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const marker = name === 'auth-mac' ? 'schemes: [oauthMac(),' : 'schemes: [rfc9421(),'
    const { verifier }: { readonly verifier: Verifier } = await import(programs.urlOf(name, marker))
    const onwards = name === 'auth-mac' ? oauthMac() : rfc9421()
    for (const scheme of [onwards, old]) {
      const message = await signed(createSigner({ scheme, credential: { id, secret } }))
      expect(await verifier.verify(message)).toMatchObject({ ok: true, scheme: scheme.name })
      const changed = requestMessage({ url: `${url}/7`, headers: pairs(message.fields) })
      // The one that signs neither path nor query: the page says so.
      expect((await verifier.verify(changed)).ok).toBe(scheme.name === 'flask-hmac')
    }
    if (tells) expect(new Set(log.mock.calls.flat())).toEqual(new Set([`${id} has yet to move`]))
    log.mockRestore()
  })
})

/** An answer with what the contract of the vectors leaves to those who want it. */
interface RecordedAnswer extends SeedVerdict {
  readonly body?: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

function pairs(fields: readonly string[]): readonly (readonly [string, string])[] {
  return fields.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : []))
}

describe.each([
  ['flask-cavage', 'cavage', 's104', cavage({ profile: 'flask-cavage' })],
  ['flask-hmac', 'flask-hmac', 's131', flaskHmac({ variant: 'path' })],
] as const)('the guard of the page %s', (name, vectors, refusal, scheme) => {
  it('answers what was recorded from the original', async () => {
    const { guard }: { readonly guard: (verifier: Verifier) => ExpressMiddleware } = await import(
      programs.urlOf(name, 'export const guard')
    )
    const verifier = createVerifier({ schemes: [scheme], credentials: memoryCredentials() })
    await withServer(express().use(guard(verifier)), async (origin) => {
      const answer = await fetch(origin)
      const verdict: RecordedAnswer = JSON.parse(JSON.stringify(seedOf(vectors, refusal).verdict))
      const type = answer.headers.get('content-type')
      expect([answer.status, type]).toEqual([verdict.status, 'application/json'])
      const text = await answer.text()
      if (name === 'flask-hmac') expect(text).toBe(verdict.body)
      else expect(JSON.parse(text)).toEqual(JSON.parse(verdict.body ?? ''))
      const challenge = verdict.headers.find(([field]) => field === 'WWW-Authenticate')?.[1]
      const given = answer.headers.get('www-authenticate') ?? undefined
      expect(given?.match(/[^ ",]+/g)?.sort()).toEqual(challenge?.match(/[^ ",]+/g)?.sort())
    })
  })
})

describe('the page auth-mac', () => {
  const scheme = oauthMac({ profile: 'django-auth-mac', port: 8080 })
  const credential = { id: 'h480djs93hd8', secret }

  it('shows prices to anybody, names who signs and refuses who signs wrongly', async () => {
    const server = await programs.serve({ name: 'auth-mac', env })
    const prices = `http://127.0.0.1:${server.port}/prices`
    const by = (own: string) =>
      signedFetch(createSigner({ scheme, credential: { ...credential, secret: own } }))
    expect(await (await fetch(prices)).text()).toBe('somebody sees prices')
    expect(await (await by(secret)(prices)).text()).toBe('testuser sees prices')
    expect((await by('another secret')(prices)).status).toBe(401)
    await server.stop()
  }, 30_000)

  it('makes credentials that live for a day', async () => {
    const exported = (script: string) => `${script}\nexport { credentials, id, secret }\n`
    const made: { readonly credentials: CredentialStore; readonly id: string; readonly secret: string } =
      await import(programs.urlOf('auth-mac', 'generateKeyId()', exported))
    const message = await signed(createSigner({ scheme, credential: { id: made.id, secret: made.secret } }))
    const verdictAfter = (seconds: number) =>
      createVerifier({
        schemes: [scheme],
        credentials: made.credentials,
        policy: { maxAgeSeconds: 86_400 },
        clock: () => now() + seconds,
      }).verify(message)
    expect(await verdictAfter(86_300)).toMatchObject({ ok: true })
    expect(await verdictAfter(86_402)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/expired|stale/),
    })
  })

  it('learns by how much a clock is off', async () => {
    const { withClocks }: { readonly withClocks: (app: Express, credentials: CredentialStore) => Verifier } =
      await import(programs.urlOf('auth-mac', 'withClocks'))
    const app = express()
    const verifier = withClocks(app, memoryCredentials([credential]))
    const own = oauthMac({ profile: 'django-auth-mac' })
    const signer = createSigner({ scheme: own, credential, clock: () => now() - 7200 })
    expect(await verifier.verify(await signed(signer))).toMatchObject({ reason: 'created-stale' })
    await withServer(app, async (origin) => {
      expect((await signedFetch(signer)(`${origin}/clock`, { method: 'POST' })).status).toBe(204)
    })
    const message = await signed(signer)
    expect(await verifier.verify(message)).toMatchObject({ ok: true })
    expect(await verifier.verify(message)).toMatchObject({ reason: 'replayed' })
  })
})

describe('the page flask-cavage', () => {
  it('has a replay checker', async () => {
    const { verifier }: { readonly verifier: Verifier } = await import(
      programs.urlOf('flask-cavage', 'singleUse: true')
    )
    const credential = { id: 'access_key_1', secret }
    const message = await signed(createSigner({ scheme: cavage({ profile: 'flask-cavage' }), credential }))
    expect(await verifier.verify(message)).toMatchObject({ ok: true })
    expect(await verifier.verify(message)).toMatchObject({ reason: 'replayed' })
  })
})

describe('the page flask-hmac', () => {
  it('keeps a key that is Latin-1', async () => {
    const { credential }: { readonly credential: Credential } = await import(
      programs.urlOf('flask-hmac', 'secretFrom.bytes')
    )
    const scheme = flaskHmac({ variant: 'body-base64', keyId: 'plain' })
    const { set } = await createSigner({ scheme, credential }).sign(requestMessage({ url }))
    const mac = createHmac('sha256', Buffer.from([0x63, 0x6c, 0xe9])).digest('base64')
    expect(set).toEqual([['Signature', mac]])
  })

  it('lets in only those on the list, and no plain key', async () => {
    const server = await programs.serve({ name: 'flask-hmac', env })
    const status = async (scheme: Scheme, id: string) => {
      const call = signedFetch(createSigner({ scheme, credential: { id, secret } }))
      return (await call(`http://127.0.0.1:${server.port}/orders`)).status
    }
    const named = flaskHmac({ variant: 'named-base64' })
    const plain = flaskHmac({ variant: 'body-base64', keyId: 'plain' })
    expect([await status(named, 'a'), await status(named, 'b'), await status(plain, 'plain')]).toEqual([
      200, 403, 403,
    ])
    await server.stop()
  }, 30_000)
})

describe('the page flask-hmacauth', () => {
  it('takes callables as functions of the message', async () => {
    const { verifier }: { readonly verifier: Verifier } = await import(
      programs.urlOf('flask-hmacauth', 'signatureHeader')
    )
    const verdict = (age: number, own: string) => {
      const target = `/items?client=admin&at=${now() - age}`
      const mac = createHmac('sha256', own).update(target).digest('hex')
      const headers: [string, string][] = [['X-Sig', mac]]
      return verifier.verify(requestMessage({ url: `http://127.0.0.1:8080${target}`, headers }))
    }
    expect(await verdict(15, secret)).toMatchObject({ ok: true, credential: { id: 'admin' } })
    expect(await verdict(60, secret)).toMatchObject({ ok: false, reason: 'created-stale', status: 403 })
    expect(await verdict(15, 'another secret')).toMatchObject({ ok: false, status: 403 })
  })

  it('asks for the rights of the account', async () => {
    const server = await programs.serve({ name: 'flask-hmacauth', env })
    const call = signedFetch(createSigner({ scheme: flaskHmacauth(), credential: { id: 'guest', secret } }))
    expect((await call(`http://127.0.0.1:${server.port}/api/v1/create`)).status).toBe(403)
    await server.stop()
  }, 30_000)
})
