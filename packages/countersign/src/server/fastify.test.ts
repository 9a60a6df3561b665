import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { requestMessage } from '../message/message.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import { createSigner } from '../signer/signer.ts'
import { memoryCredentials } from '../stores/memory.ts'
import { createVerifier, type Verifier } from '../verifier/verifier.ts'
import { readSignature, requireSignature, signatureOf, signatures } from './fastify.ts'

const credential = { id: 'caller', secret: 'secret of the caller of these tests' }
const verifier = createVerifier({ schemes: [rfc9421()], credentials: memoryCredentials([credential]) })
const signer = createSigner({ scheme: rfc9421(), credential })
const json = { 'content-type': 'application/json' }

/** Gives what `inject` takes to send a signed request. */
async function signed(
  url: string,
  payload?: string,
): Promise<{ url: string; method: 'GET' | 'POST'; headers: Record<string, string>; payload?: string }> {
  const method = payload === undefined ? 'GET' : 'POST'
  const headers = payload === undefined ? {} : json
  const content = payload === undefined ? {} : { body: payload }
  const message = requestMessage({ method, url: `http://localhost:80${url}`, headers, ...content })
  const { set } = await signer.sign(message)
  return {
    url,
    method,
    headers: { ...headers, ...Object.fromEntries(set) },
    ...(payload === undefined ? {} : { payload }),
  }
}

describe('the guard of Fastify', () => {
  it('gives the handler the signature, typed, also under inject', async () => {
    const app = Fastify()
    await app.register(signatures)
    app.post('/', { onRequest: requireSignature(verifier) }, async (request) => {
      const keyId: string = request.signature.credential.id
      return { keyId, same: signatureOf(request) === request.signature, body: request.body }
    })
    const response = await app.inject(await signed('/', '{"a":[1]}'))
    expect(response.json()).toEqual({ keyId: 'caller', same: true, body: { a: [1] } })
  })

  it('works without its plugin, and for a whole application with a prefix', async () => {
    const app = Fastify()
    app.addHook('onRequest', requireSignature(verifier))
    app.register(async (part) => part.get('/b', async (request) => ({ url: request.url })), { prefix: '/a' })
    expect((await app.inject(await signed('/a/b?c=1'))).json()).toEqual({ url: '/a/b?c=1' })
    expect((await app.inject('/a/b')).statusCode).toBe(401)
    expect((await app.inject('/nowhere')).statusCode).toBe(401)
  })

  it('goes by the target as it was sent where Fastify rewrites it', async () => {
    const app = Fastify({ rewriteUrl: () => '/rewritten' })
    app.get('/rewritten', { onRequest: requireSignature(verifier) }, async () => 'passed')
    expect((await app.inject(await signed('/a?b'))).body).toBe('passed')
    expect((await app.inject({ ...(await signed('/rewritten')), url: '/a?b' })).statusCode).toBe(401)
  })

  it('decorates requests of the instance that registers it', async () => {
    const app = Fastify()
    await app.register(signatures)
    expect(app.hasRequestDecorator('signature')).toBe(true)
  })

  it('runs the hooks of the application on a refusal', async () => {
    const app = Fastify()
    app.addHook('onSend', async (_request, reply) => {
      reply.header('x-own', '1')
    })
    app.get('/', { onRequest: requireSignature(verifier) }, async () => 'passed')
    const response = await app.inject('/')
    expect([response.statusCode, response.headers['x-own']]).toEqual([401, '1'])
    expect(response.json()).toMatchObject({ reason: 'signature-absent' })
  })

  it('throws into the error handler for a body that was read before, with the fix', async () => {
    const app = Fastify()
    app.post('/', { preHandler: requireSignature(verifier) }, async () => 'passed')
    app.setErrorHandler((error, _request, reply) => reply.code(500).send(String(error)))
    const response = await app.inject(await signed('/', '{}'))
    expect(response.statusCode).toBe(500)
    expect(response.body).toMatch(/^CountersignError: .*onRequest hook/)
  })

  it('runs no handler whatever a verification fails with', async () => {
    for (const thrown of [undefined, null, 0, '', 'route', new Error('own')]) {
      const failing: Verifier = { ...verifier, verify: () => Promise.reject(thrown) }
      const app = Fastify()
      app.get('/', { onRequest: requireSignature(failing) }, async () => 'passed')
      expect((await app.inject(await signed('/'))).statusCode).toBe(500)
    }
  })

  it('leaves an anonymous request without a signature', async () => {
    const app = Fastify()
    app.get('/', { onRequest: readSignature(verifier) }, async (request) => ({
      anonymous: signatureOf(request) === undefined,
    }))
    expect((await app.inject('/')).json()).toEqual({ anonymous: true })
  })
})
