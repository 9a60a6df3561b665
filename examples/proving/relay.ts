import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A hop between client and server that can change what it passes on. */
export interface Relay {
  readonly origin: string
  /** Requests as they came in, one character for each byte. */
  readonly seen: readonly string[]
  /** Applied to each request on its way. */
  change: (request: string) => string
  /** Sends bytes to the server behind and gives its answer. */
  send(request: string): Promise<string>
  close(): Promise<void>
}

/** Starts a relay in front of a port of this machine. */
export async function startRelay(port: number, host = '127.0.0.1'): Promise<Relay> {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy()))
    let pending = ''
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1')
      if (!isWhole(pending)) return
      seen.push(pending)
      const request = relay.change(pending)
      pending = ''
      relay.send(request).then(
        (answer) => socket.end(answer, 'latin1'),
        () => socket.destroy(),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const relay: Relay = {
    origin: `http://localhost:${typeof address === 'object' ? address?.port : ''}`,
    seen,
    change: (request) => request,
    async send(request) {
      const socket = connect(port, host)
      // So that the end of the answer is the end of the connection. No signature here covers this field.
      const last = request.replace(/^connection:.*\r\n/gim, '').replace('\r\n', '\r\nConnection: close\r\n')
      socket.write(last, 'latin1')
      let answer = ''
      for await (const chunk of socket) answer += chunk.toString('latin1')
      return answer
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return relay
}

function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n')
  const length = Number(/^content-length: *(\d+)/im.exec(request)?.[1] ?? 0)
  return end >= 0 && request.length >= end + 4 + length
}
