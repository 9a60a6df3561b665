import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { signedFetch } from '../client/fetch.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import { createSigner } from '../signer/signer.ts'
import { memoryCredentials } from '../stores/memory.ts'
import { createVerifier, type Verifier } from '../verifier/verifier.ts'
import { readSignature, requireSignature, signatureOf } from './express.ts'

const credential = { id: 'caller', secret: 'secret of the caller of these tests' }
const verifier = createVerifier({ schemes: [rfc9421()], credentials: memoryCredentials([credential]) })
const send = signedFetch(createSigner({ scheme: rfc9421(), credential }))

let close = (): void => undefined
afterEach(() => close())

async function serve(app: RequestListener): Promise<string> {
  const server = createServer(app).listen(0)
  await once(server, 'listening')
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  const address = server.address()
  return `http://localhost:${typeof address === 'object' ? address?.port : 0}`
}

/** An error handler of Express that tells the error. */
const tell: express.ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(500).json({ name: error.name, code: error.code, message: error.message })
}

const failing = (thrown: unknown): Verifier => ({ ...verifier, verify: () => Promise.reject(thrown) })

describe('the guard of Express', () => {
  it('gives the handler the signature, typed', async () => {
    const app = express()
    app.get('/', requireSignature(verifier), (req, res) => {
      const keyId: string = req.signature.credential.id
      res.json({ keyId, same: signatureOf(req) === req.signature })
    })
    const response = await send(await serve(app))
    expect(await response.json()).toEqual({ keyId: 'caller', same: true })
  })

  it('guards a whole application, and routers mounted in routers', async () => {
    const inner = express.Router().post('/c', express.json(), (req, res) => {
      res.json({ url: req.url, body: req.body, caller: signatureOf(req)?.credential.id })
    })
    const app = express()
    app.use('/a', express.Router().use('/b', requireSignature(verifier), inner))
    const origin = await serve(app)
    const headers = { 'content-type': 'application/json' }
    const response = await send(`${origin}/a/b/c?d=1`, { method: 'POST', body: '{"e":2}', headers })
    expect(await response.json()).toEqual({ url: '/c?d=1', body: { e: 2 }, caller: 'caller' })
    expect((await fetch(`${origin}/a/b/c`, { method: 'POST' })).status).toBe(401)
  })

  it('verifies a compressed body as it was sent, and leaves it to the parser to inflate', async () => {
    const app = express()
    app.post('/', requireSignature(verifier), express.json(), (req, res) => {
      res.json(req.body)
    })
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const body = gzipSync(JSON.stringify({ a: 'b'.repeat(1000) }))
    const response = await send(await serve(app), { method: 'POST', body, headers })
    expect(await response.json()).toEqual({ a: 'b'.repeat(1000) })
  })

  it('hands the error for a body that was read before to the error handler, with the fix', async () => {
    const app = express()
    app.use(express.json(), requireSignature(verifier), tell)
    const headers = { 'content-type': 'application/json' }
    const response = await send(await serve(app), { method: 'POST', body: '{}', headers })
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({
      name: 'CountersignError',
      code: 'body-already-read',
      message: expect.stringContaining('before express.json()'),
    })
  })

  it('runs no handler whatever a verification fails with', async () => {
    for (const thrown of [undefined, null, 0, '', 'route', 'router', new Error('own')]) {
      const app = express()
      let ran = false
      const handler: express.RequestHandler = (_req, res) => {
        ran = true
        res.end()
      }
      app.get('/', requireSignature(failing(thrown)), handler)
      app.use(handler)
      app.use(tell)
      const response = await send(await serve(app))
      expect([response.status, ran]).toEqual([500, false])
      close()
    }
  })

  it('hands on what fails while the answer of the application is made or sent', async () => {
    const broken = [
      () => {
        throw new Error('own')
      },
      () => ({ status: 401, headers: [['X-Own', 'a\r\nb']] as const }),
    ]
    for (const respond of broken) {
      const app = express()
      app.use(requireSignature(verifier, { respond }), tell)
      expect((await fetch(await serve(app))).status).toBe(500)
      close()
    }
  })

  it('leaves an anonymous request without a signature, also behind another guard', async () => {
    const app = express()
    app.get('/', readSignature(verifier), (req, res) => {
      res.json({ anonymous: signatureOf(req) === undefined })
    })
    expect(await (await fetch(await serve(app))).json()).toEqual({ anonymous: true })
  })

  it('believes no forwarded field because Express does', async () => {
    const app = express()
    app.set('trust proxy', true)
    app.get('/', requireSignature(verifier), (req, res) => {
      res.json({ host: req.hostname })
    })
    const headers = { 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https' }
    expect(await (await send(await serve(app), { headers })).json()).toEqual({ host: 'evil.test' })
  })

  it('refuses options that cannot work when it is made', () => {
    expect(() => requireSignature(verifier, { maxFields: 0 })).toThrow('maxFields')
    expect(() => readSignature(verifier, { trustProxy: ['x'] })).toThrow('trustProxy')
  })
})
