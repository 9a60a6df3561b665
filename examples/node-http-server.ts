// A service on node:http alone. Start it: BILLING_SECRET=... npx tsx examples/node-http-server.ts
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { createVerifier, memoryCredentials, memoryNonces, rfc9421 } from 'countersign'
import { guardServer, readListener, serverOptions, verifiedListener } from 'countersign/server/node-http'

const { BILLING_SECRET = '', PORT = '3000' } = process.env

const verifier = createVerifier({
  schemes: [rfc9421()],
  credentials: memoryCredentials([{ id: 'billing', secret: BILLING_SECRET, rights: ['invoices:read'] }]),
  nonces: memoryNonces(), // without a store, replay is not checked
})

const invoices = verifiedListener(verifier, { rights: ['invoices:read'] }, async (req, res) => {
  const caller = req.signature.credential.id
  // The body can be read as if nobody had.
  res.end(JSON.stringify(req.method === 'POST' ? { caller, body: await json(req) } : { caller }))
})
// Anonymous callers may come too; a signature that is there has to be right.
const prices = readListener(verifier, {}, (req, res) => {
  res.end(JSON.stringify({ caller: req.signature?.credential.id ?? 'anonymous' }))
})

const server = createServer(serverOptions, (req, res) => {
  res.setHeader('Content-Type', 'application/json')
  const listener = req.url === '/prices' ? prices : invoices
  listener(req, res)
})
guardServer(server) // upgrades never reach a request listener: this refuses them
server.listen(Number(PORT), 'localhost', () => console.log('listening', server.address()))
