// A service behind Fastify 5. Start it: BILLING_SECRET=... npx tsx examples/fastify-server.ts
import { createVerifier, memoryCredentials, memoryNonces, rfc9421 } from 'countersign'
import { readSignature, requireSignature, signatureOf, signatures } from 'countersign/server/fastify'
import { guardServer } from 'countersign/server/node-http'
import Fastify from 'fastify'

const { BILLING_SECRET = '', PORT = '3000' } = process.env

const verifier = createVerifier({
  schemes: [rfc9421()],
  credentials: memoryCredentials([{ id: 'billing', secret: BILLING_SECRET, rights: ['invoices:read'] }]),
  nonces: memoryNonces(), // without a store, replay is not checked
})

const app = Fastify()
guardServer(app.server) // upgrades never reach a hook: this refuses them
await app.register(signatures)

const mayRead = requireSignature(verifier, { rights: ['invoices:read'] })
app.get('/invoices', { onRequest: mayRead }, async (request) => ({
  caller: request.signature.credential.id,
}))
// As an onRequest hook, in front of the body parser: the guard reads the body as it came and leaves it to the parser.
app.post('/invoices', { onRequest: requireSignature(verifier) }, async (request) => ({
  caller: request.signature.credential.id,
  body: request.body,
}))
// Anonymous callers may come too; a signature that is there has to be right.
app.get('/prices', { onRequest: readSignature(verifier) }, async (request) => ({
  caller: signatureOf(request)?.credential.id ?? 'anonymous',
}))

await app.listen({ port: Number(PORT) })
console.log('listening', app.server.address())
