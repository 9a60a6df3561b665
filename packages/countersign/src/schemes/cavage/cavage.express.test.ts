import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { requireSignature } from '../../server/express.ts'
import {
  type SeedCase,
  type SeedFile,
  type SeedRequest,
  seedBytes,
  seedRequest,
} from '../../testing/vectors.ts'
import { createVerifier, type Verifier } from '../../verifier/verifier.ts'
import { cavage } from './cavage.ts'

const file: SeedFile = JSON.parse(
  readFileSync(new URL('../../../../../vectors/cavage/seed.json', import.meta.url), 'utf8'),
)

/** Loads what belongs to a key, as a context loader of the original does. */
const contexts: ReadonlyMap<string, string> = new Map([
  ['access_key_1', 'the studio'],
  ['access_key_2', 'the other studio'],
])

function verifierFor({ server, clock }: SeedCase): Verifier {
  const known = (server.credentials ?? []).map(
    ({ id, secret, publicKeyPem }): Credential => ({
      id: String(id),
      ...(secret === undefined ? { key: String(publicKeyPem) } : { secret }),
    }),
  )
  return createVerifier({
    schemes: [cavage({ profile: 'flask-cavage' })],
    // 5.02 A secret loader is a function from key id to credential.
    credentials: async (keyId) => known.find(({ id }) => id === keyId),
    clock: () => clock,
  })
}

/** Sends a request byte by byte as it was recorded. */
async function sent(port: number, request: SeedRequest): Promise<{ status: number; answer: string }> {
  const lines = [`${request.method} ${request.target} HTTP/1.1`]
  for (const [name, value] of request.headers) lines.push(`${name}: ${value}`)
  const head = Buffer.from([...lines, 'Connection: close', '', ''].join('\r\n'), 'latin1')
  const socket = connect(port, '127.0.0.1')
  socket.end(Buffer.concat([head, seedBytes(request.bodyBase64)]))
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return { status: Number(answer.slice(9, 12)), answer }
}

describe('flask-cavage over Express', () => {
  let verifier: Verifier
  let port = 0
  const app = express()
  app.get('/open', (_req, res) => {
    res.end()
  })
  app.use(
    (req, res, next) => requireSignature(verifier)(req, res, next),
    (req, res) => {
      const { id } = req.signature.credential
      res.set({ 'X-Caller': encodeURIComponent(id), 'X-Context': contexts.get(id) ?? 'none' }).end()
    },
  )
  const server = createServer(app)
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    port = typeof address === 'object' ? (address?.port ?? 0) : 0
  })
  afterAll(() => server.close())

  it.each(file.cases.map((one) => [one.id, one.description, one] as const))(
    '5.01 5.02 5.05 %s %s',
    async (_id, _text, one) => {
      verifier = verifierFor(one)
      const verdict = await verifier.verify(seedRequest(one.request))
      const { status, answer } = await sent(port, one.request)
      expect(status).toBe(verdict.ok ? 200 : verdict.status)
      const caller = /^X-Caller: (.*)\r$/m.exec(answer)?.[1]
      expect(caller).toBe(verdict.ok ? encodeURIComponent(one.credential.id ?? '') : undefined)
    },
  )

  it('5.01 leaves a route alone that asks for no signature', async () => {
    const { status } = await sent(port, {
      method: 'GET',
      url: 'http://a/open',
      target: '/open',
      headers: [['Host', 'a']],
      bodyBase64: '',
    })
    expect(status).toBe(200)
  })

  it('5.03 5.05 says which key it was, so that the context of the caller can be loaded', async () => {
    const found = file.cases.find(({ id }) => id.endsWith('s085'))
    if (found === undefined) throw new Error('the vector is missing')
    verifier = verifierFor(found)
    const { answer } = await sent(port, found.request)
    expect(answer).toContain('X-Caller: access_key_2\r\nX-Context: the other studio\r\n')
  })
})
