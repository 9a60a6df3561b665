import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

/** A request exactly as an upstream received it. */
export interface RecordedRequest {
  /** Request line and field lines with their line ends, one character for each byte. */
  readonly head: string
  readonly method: string
  readonly target: string
  /** As received: name and value pairs, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Content with its framing taken off. */
  readonly body: Buffer
}

/** An upstream that writes down every byte it gets and answers what it is told to. */
export interface Recorder {
  readonly origin: string
  readonly requests: readonly RecordedRequest[]
  /** Bytes received over all connections, whole requests or not. */
  readonly bytes: number
  /** Connections accepted so far. */
  readonly connections: number
  /** Waits for so many connections to have ended. */
  ended(connections: number): Promise<void>
  forget(): void
  close(): Promise<void>
}

/** What the recorder answers to a request; `undefined`: nothing, for ever. */
export type Reply = (request: RecordedRequest, socket: Socket) => string | undefined

const ok: Reply = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Starts a recorder on a free port. It reads bytes from a plain socket, so that no HTTP library tidies what it sees. */
export async function startRecorder(
  reply: Reply = ok,
  onData?: (total: number, socket: Socket) => void,
): Promise<Recorder> {
  const requests: RecordedRequest[] = []
  const sockets = new Set<Socket>()
  let bytes = 0
  let connections = 0
  let endedCount = 0
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    connections++
    let pending: Buffer = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      endedCount++
      server.emit('ended')
    })
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      onData?.(bytes, socket)
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        const read = readRequest(pending)
        if (read === undefined) return
        pending = pending.subarray(read.length)
        requests.push(read.request)
        const answer = reply(read.request, socket)
        if (answer !== undefined) socket.write(answer, 'latin1')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    get bytes() {
      return bytes
    },
    get connections() {
      return connections
    },
    async ended(count) {
      while (endedCount < count) await once(server, 'ended')
    },
    forget() {
      requests.length = 0
      bytes = 0
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

interface ReadRequest {
  readonly request: RecordedRequest
  /** Bytes it took. */
  readonly length: number
}

function readRequest(bytes: Buffer): ReadRequest | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.subarray(0, end + 4).toString('latin1')
  const [line = '', ...lines] = head.slice(0, -4).split('\r\n')
  const [method = '', target = ''] = line.split(' ')
  const fields = lines.map((text): [string, string] => {
    const colon = text.indexOf(':')
    return [text.slice(0, colon), text.slice(colon + 1).replace(/^ /, '')]
  })
  const value = (name: string): string | undefined =>
    fields.find(([given]) => given.toLowerCase() === name)?.[1]
  const rest = bytes.subarray(end + 4)
  const body =
    value('transfer-encoding') === 'chunked'
      ? readChunks(rest)
      : readLength(rest, Number(value('content-length') ?? 0))
  if (body === undefined) return undefined
  return { request: { head, method, target, fields, body: body.content }, length: end + 4 + body.length }
}

interface ReadBody {
  readonly content: Buffer
  readonly length: number
}

function readLength(bytes: Buffer, length: number): ReadBody | undefined {
  return bytes.length < length ? undefined : { content: Buffer.from(bytes.subarray(0, length)), length }
}

function readChunks(bytes: Buffer): ReadBody | undefined {
  const pieces: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    const start = lineEnd + 2
    if (bytes.length < start + size + 2) return undefined
    pieces.push(bytes.subarray(start, start + size))
    at = start + size + 2
    if (size === 0) return { content: Buffer.concat(pieces), length: at }
  }
}
