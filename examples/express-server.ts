// A service behind Express 5. Start it: BILLING_SECRET=... npx tsx examples/express-server.ts
import { createServer } from 'node:http'
import { createVerifier, memoryCredentials, memoryNonces, rfc9421 } from 'countersign'
import { readSignature, requireSignature, signatureOf } from 'countersign/server/express'
import { guardServer, serverOptions } from 'countersign/server/node-http'
import express from 'express'

const { BILLING_SECRET = '', PORT = '3000' } = process.env

const verifier = createVerifier({
  schemes: [rfc9421()],
  credentials: memoryCredentials([{ id: 'billing', secret: BILLING_SECRET, rights: ['invoices:read'] }]),
  nonces: memoryNonces(), // without a store, replay is not checked
})

const app = express()
app.get('/invoices', requireSignature(verifier, { rights: ['invoices:read'] }), (req, res) => {
  res.json({ caller: req.signature.credential.id })
})
// In front of the body parser: the guard reads the body as it came and leaves it to the parser.
app.post('/invoices', requireSignature(verifier), express.json(), (req, res) => {
  res.json({ caller: req.signature.credential.id, body: req.body })
})
// Anonymous callers may come too; a signature that is there has to be right.
app.get('/prices', readSignature(verifier), (req, res) => {
  res.json({ caller: signatureOf(req)?.credential.id ?? 'anonymous' })
})

const server = createServer(serverOptions, app)
guardServer(server) // upgrades never reach a middleware: this refuses them
server.listen(Number(PORT), 'localhost', () => console.log('listening', server.address()))
