import { describe, expect, it } from 'vitest'
import { signedFetch } from '../client/fetch.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import { createSigner } from '../signer/signer.ts'
import { memoryCredentials, memoryNonces } from '../stores/memory.ts'
import { createVerifier, type Verifier } from '../verifier/verifier.ts'
import { type FetchHandler, readFetch, verifiedFetch } from './from-fetch.ts'

const credential = { id: 'caller', secret: 'secret of the caller of these tests', rights: ['read'] }
const verifier = createVerifier({
  schemes: [rfc9421()],
  credentials: memoryCredentials([credential]),
  nonces: memoryNonces(),
  policy: { limitBytes: 100_000 },
})
const signer = createSigner({ scheme: rfc9421(), credential })
const url = 'https://api.test/a?b=%7e'

/** Calls a handler as a host would, with a request that our own client has signed. */
async function call(
  handler: FetchHandler<readonly []>,
  init?: RequestInit,
  change = (r: Request) => r,
): Promise<Response> {
  const send = signedFetch(signer, { fetch: (url, init) => handler(change(new Request(url, init))) })
  return send(url, init)
}

describe('verifiedFetch and readFetch', () => {
  it('hand the handler the request with its body, the signature and what the host adds', async () => {
    const handler = verifiedFetch(verifier, { rights: ['read'] }, async (request, signature, env: string) => {
      return new Response(`${signature.credential.id} ${await request.text()} ${env}`)
    })
    const response = await call((request) => handler(request, 'env'), { method: 'POST', body: 'body' })
    expect(await response.text()).toBe('caller body env')
  })

  it('refuse what is unsigned, changed or seen before, and run no handler', async () => {
    let ran = 0
    const handler = verifiedFetch(verifier, {}, () => new Response(String(++ran)))
    const unsigned = await handler(new Request(url))
    expect([unsigned.status, await unsigned.json()]).toEqual([
      401,
      expect.objectContaining({ reason: 'signature-absent' }),
    ])
    expect(unsigned.headers.get('cache-control')).toBe('no-store')
    expect(unsigned.headers.get('www-authenticate') ?? unsigned.headers.get('accept-signature')).toBeTruthy()
    expect((await call(handler, {}, (request) => new Request(`${url}c`, request))).status).toBe(401)
    let kept: Request | undefined
    const keep = (request: Request): Request => {
      kept = request
      return request.clone()
    }
    expect((await call(handler, {}, keep)).status).toBe(200)
    expect(kept && (await handler(kept)).status).toBe(401)
    expect(ran).toBe(1)
  })

  it('answer 413 to a body over the limit', async () => {
    const handler = verifiedFetch(verifier, {}, () => new Response())
    expect((await call(handler, { method: 'POST', body: 'x'.repeat(100_001) })).status).toBe(413)
  })

  it('answer 400 to a body that its sender gives up', async () => {
    const handler = verifiedFetch(verifier, {}, () => new Response())
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) })
    const change = (request: Request): Request => {
      const init = { method: 'POST', headers: request.headers, body: broken, duplex: 'half' }
      return new Request(request.url, init)
    }
    expect((await call(handler, { method: 'POST', body: 'x' }, change)).status).toBe(400)
  })

  it('answer 403 for a missing right', async () => {
    const handler = verifiedFetch(verifier, { rights: ['write'] }, () => new Response())
    expect((await call(handler)).status).toBe(403)
  })

  it('let anonymous requests pass where no signature is needed, and wrong ones not', async () => {
    const handler = readFetch(verifier, {}, (_request, signature) =>
      Response.json(signature?.credential.id ?? null),
    )
    expect(await (await handler(new Request(url))).json()).toBeNull()
    expect(await (await call(handler)).json()).toBe('caller')
    expect((await call(handler, {}, (request) => new Request(`${url}c`, request))).status).toBe(401)
  })

  it('warn in the mode warn, also on a response whose fields cannot be changed', async () => {
    const handler = verifiedFetch(verifier, { policy: { mode: 'warn' } }, () =>
      Response.redirect('https://api.test/b'),
    )
    const response = await handler(new Request(url))
    expect([response.status, response.headers.get('countersign-warning')]).toEqual([302, 'signature-absent'])
  })

  it('send the answer that the application makes', async () => {
    const answer = {
      status: 418,
      headers: [
        ['x', '1'],
        ['x', '2'],
      ] as const,
      body: Uint8Array.of(111, 107),
    }
    const response = await verifiedFetch(
      verifier,
      { respond: () => answer },
      () => new Response(),
    )(new Request(url))
    expect([response.status, response.headers.get('x'), await response.text()]).toEqual([418, '1, 2', 'ok'])
  })

  it('reject for a body that was read before, and for a verification that fails with no Error', async () => {
    const handler = verifiedFetch(verifier, {}, () => new Response())
    const request = new Request(url, { method: 'POST', body: 'x' })
    await request.text()
    await expect(handler(request)).rejects.toMatchObject({ code: 'body-already-read' })
    const failing: Verifier = { ...verifier, verify: () => Promise.reject(undefined) }
    await expect(verifiedFetch(failing, {}, () => new Response())(new Request(url))).rejects.toThrow(
      'not an Error',
    )
  })
})
