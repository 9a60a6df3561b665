import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A running echo service. */
export interface Echo {
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string
  close(): Promise<void>
}

/** Starts the built-in upstream on a free port of the loopback interface. It answers with what it was sent, as JSON. */
export async function startEcho(): Promise<Echo> {
  const server = createServer((request, response) => {
    echo(request, response).catch(() => response.destroy())
  })
  server.maxHeadersCount = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hasher = createHash('sha256')
  let bytes = 0
  for await (const chunk of request) {
    hasher.update(chunk)
    bytes += chunk.length
  }
  const { rawHeaders } = request
  const fields: [string, string][] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    fields.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
  const seen = {
    method: request.method,
    target: request.url,
    caller: request.headers['x-countersign-key'],
    headers: fields,
    body: { bytes, sha256: hasher.digest('base64') },
  }
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end(`${JSON.stringify(seen, null, 2)}\n`)
}
