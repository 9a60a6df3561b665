import { createSigner, rfc9421 } from 'countersign'
import { signedFetch } from 'countersign/client/fetch'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, run, type Service, startService, tsx } from './proving/processes.ts'
import { type Relay, startRelay } from './proving/relay.ts'

const secret = 'a secret of these tests, thirty characters and more'
const env = { BILLING_SECRET: secret, PORT: '0' }

describe.each(['express-server.ts', 'fastify-server.ts', 'node-http-server.ts'])('%s', (file) => {
  let server: Service
  let relay: Relay
  beforeAll(async () => {
    server = await startService([tsx, `${root}/examples/${file}`], env, /port: \d+/)
    const host = /address: '([^']+)'/.exec(server.out())?.[1] ?? ''
    relay = await startRelay(Number(/port: (\d+)/.exec(server.out())?.[1]), host)
  }, 30_000)
  afterAll(async () => {
    await relay?.close()
    await server?.stop()
  })
  const signedBy = (own: string) =>
    signedFetch(createSigner({ scheme: rfc9421(), credential: { id: 'billing', secret: own } }))

  it('serves signed-fetch.ts and refuses it where its body is changed on the way', async () => {
    const call = () =>
      run(process.execPath, [tsx, `${root}/examples/signed-fetch.ts`], { ...env, ORIGIN: relay.origin })
    expect(await call()).toEqual({
      exitCode: 0,
      out: '200 {"caller":"billing","body":{"amount":10}}\n',
      err: '',
    })
    relay.change = (request) => request.replace('{"amount":10}', '{"amount":99}')
    expect((await call()).out).toMatch(/^401 \{.*"reason":"digest-mismatch"\}\n/)
    relay.change = (request) => request
  }, 30_000)

  it('serves who has the right, refuses who signs wrongly or not at all', async () => {
    const url = `${relay.origin}/invoices`
    expect(await (await signedBy(secret)(url)).json()).toEqual({ caller: 'billing' })
    expect((await signedBy('another secret')(url)).status).toBe(401)
    expect((await fetch(url)).status).toBe(401)
  })

  it('refuses a request that is sent once more', async () => {
    await signedBy(secret)(`${relay.origin}/invoices`)
    expect(await relay.send(relay.seen.at(-1) ?? '')).toMatch(/^HTTP\/1.1 401 [\s\S]*"reason":"replayed"/)
  })

  it('shows prices to anybody, and names whoever signs', async () => {
    const url = `${relay.origin}/prices`
    expect(await (await fetch(url)).json()).toEqual({ caller: 'anonymous' })
    expect(await (await signedBy(secret)(url)).json()).toEqual({ caller: 'billing' })
    expect((await signedBy('another secret')(url)).status).toBe(401)
  })
})
