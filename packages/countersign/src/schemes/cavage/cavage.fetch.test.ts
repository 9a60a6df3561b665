import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signedFetch } from '../../client/fetch.ts'
import { requireSignature } from '../../server/express.ts'
import { createSigner } from '../../signer/signer.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { cavage } from './cavage.ts'
import type { CavageOptions } from './options.ts'

const credential = { id: 'access_key_1', secret: 'correct horse battery' }

describe.each([
  ['the drafts', {}],
  ['the drafts with (created)', { time: 'created', field: 'signature' }],
  ['Flask-Cavage', { profile: 'flask-cavage' }],
] as readonly (readonly [string, CavageOptions])[])('5.12 fetch signing as in %s', (_, options) => {
  const verifier = createVerifier({ schemes: [cavage(options)], credentials: () => credential })
  const app = express().use(requireSignature(verifier), express.json(), (req, res) => {
    res.json({ caller: req.signature.credential.id, body: req.body ?? null })
  })
  const server = createServer(app)
  let origin = ''
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  })
  afterAll(() => server.close())

  const fetch = signedFetch(createSigner({ scheme: cavage(options), credential }))

  it('is accepted by a real server, with and without content', async () => {
    const list = await fetch(`${origin}/orders?page=2`)
    expect([list.status, await list.json()]).toEqual([200, { caller: 'access_key_1', body: null }])
    for (const method of ['POST', 'PUT', 'PATCH']) {
      const made = await fetch(`${origin}/orders`, {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: '{"amount":1}',
      })
      expect([made.status, await made.json()]).toEqual([200, { caller: 'access_key_1', body: { amount: 1 } }])
    }
    expect((await globalThis.fetch(`${origin}/orders`)).status).toBe(401)
  })
})
