import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An answer as it came over the wire. */
export interface WireAnswer {
  /** 0 where the connection ended without one. */
  readonly status: number
  /** Names in lower case; of several lines the last. */
  readonly fields: ReadonlyMap<string, string>
  /** Everything behind the head, as text. */
  readonly body: string
  readonly raw: string
}

/** Sends bytes over a new connection and gives everything that came back once it is closed. */
export async function sendBytes(port: number, ...pieces: readonly (string | Buffer)[]): Promise<WireAnswer> {
  const socket = await openSocket(port)
  const answer = readAnswer(socket)
  for (const piece of pieces) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
  return answer
}

/** Opens a connection. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Reads until the connection is closed. */
export async function readAnswer(socket: Socket): Promise<WireAnswer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  return answerOf(Buffer.concat(chunks).toString('latin1'))
}

/** Reads until the head of an answer is there. */
export async function readHead(socket: Socket): Promise<string> {
  let text = ''
  while (!text.includes('\r\n\r\n')) {
    const [chunk]: readonly unknown[] = await once(socket, 'data')
    text += Buffer.isBuffer(chunk) ? chunk.toString('latin1') : ''
  }
  return text
}

/** Takes apart an answer. Interim answers are skipped. */
export function answerOf(raw: string): WireAnswer {
  let text = raw
  while (/^HTTP\/1\.1 1\d\d /.test(text)) text = text.slice(text.indexOf('\r\n\r\n') + 4)
  const end = text.indexOf('\r\n\r\n')
  const [line = '', ...lines] = text.slice(0, end < 0 ? text.length : end).split('\r\n')
  const fields = new Map(
    lines.map((field): [string, string] => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
    }),
  )
  return { status: Number(line.split(' ')[1] ?? 0), fields, body: end < 0 ? '' : text.slice(end + 4), raw }
}
