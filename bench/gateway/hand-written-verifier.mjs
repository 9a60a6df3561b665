/*
 * What a team writes in an afternoon to answer nginx's auth_request: the signature of one fixed form, its window, its
 * nonce, nothing else. Neither coverage rules nor several secrets nor limits. Content never gets here, so nobody compares
 * it with its digest. Arguments: port and key id; the secret is in BENCH_SECRET_HEX.
 */
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const [, , port = '0', keyId = ''] = process.argv
const key = createSecretKey(Buffer.from(process.env.BENCH_SECRET_HEX ?? '', 'hex'))
/** @type {Map<string, number>} */
const used = new Map()
const form =
  /^sig1=(\("@method" "@target-uri" "@authority" "content-digest" "content-type" "x-request-id"\);created=(\d{10});keyid="([^"\\]+)";nonce="([^"\\]+)")$/

/** @param {import('node:http').IncomingMessage} request */
function isGood({ headers }) {
  const { host, 'signature-input': input, signature, 'x-original-uri': target } = headers
  const match = typeof input === 'string' ? form.exec(input) : null
  if (match === null || typeof signature !== 'string') return false
  const [, params, created, id, nonce = ''] = match
  const now = Math.floor(Date.now() / 1000)
  const age = now - Number(created)
  if (id !== keyId || age > 300 || age < -30) return false
  const base = `"@method": ${headers['x-original-method']}
"@target-uri": http://${host}${target}
"@authority": ${host}
"content-digest": ${headers['content-digest']}
"content-type": ${headers['content-type']}
"x-request-id": ${headers['x-request-id']}
"@signature-params": ${params}`
  const expected = createHmac('sha256', key).update(base).digest()
  const given = Buffer.from(signature.slice('sig1=:'.length, -1), 'base64')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
  if (used.has(nonce)) return false
  used.set(nonce, now)
  return true
}

const server = createServer((request, response) => {
  if (isGood(request)) response.writeHead(204, { 'X-Countersign-Key': keyId })
  else response.writeHead(401)
  response.end()
})
server.keepAliveTimeout = 60_000
server.maxRequestsPerSocket = 0
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
