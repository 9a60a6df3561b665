import { once } from 'node:events'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** A request as the service behind a gateway or proxy received it. */
export interface ReceivedRequest {
  readonly method: string | undefined
  readonly target: string | undefined
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** A service that takes down what it receives and answers 200. */
export interface Service {
  readonly origin: string
  readonly received: readonly ReceivedRequest[]
  /** Gives what it received since the last call. */
  take(): readonly ReceivedRequest[]
  close(): Promise<void>
}

/** Starts a service on a free port. */
export async function startService(): Promise<Service> {
  const received: ReceivedRequest[] = []
  const server = createServer(async (request, response) => {
    const { method, url: target, rawHeaders } = request
    const fields: [string, string][] = []
    for (let i = 0; i < rawHeaders.length; i += 2) fields.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
    received.push({ method, target, fields, body: (await buffer(request)).toString('latin1') })
    response.end('served\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    received,
    take: () => received.splice(0),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
