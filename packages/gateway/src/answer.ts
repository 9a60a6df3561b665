import { STATUS_CODES } from 'node:http'
import type { Refused } from 'countersign'
import { respond } from 'countersign/server/respond'
import { type AnswerCode, answers } from './answers.ts'
import type { Exchange } from './exchange.ts'

// What is still read of a refused request, so that its sender gets to see the answer before the connection closes.
const lingerBytes = 65_536
const lingerMs = 500

/** Answers with one of the gateway's own answers. */
export function sendAnswer(exchange: Exchange, code: AnswerCode): void {
  const answer = answers[code]
  const fields = ['Content-Type', 'application/problem+json', 'Cache-Control', 'no-store']
  if (answer.retryAfterSeconds !== undefined) fields.push('Retry-After', String(answer.retryAfterSeconds))
  send(exchange, answer.status, fields, problemText(code))
}

/** Answers a refused request with the text for outsiders and the challenge of the verdict. */
export function sendRefusal(exchange: Exchange, verdict: Refused): void {
  const { status, headers, body = '' } = respond(verdict)
  send(exchange, status, headers.flat(), body)
}

/** Sends a whole answer that no upstream made. */
export function send(
  exchange: Exchange,
  status: number,
  fields: readonly string[],
  body: string | Uint8Array,
): void {
  const { request, response } = exchange
  if (response.headersSent || response.destroyed) {
    // Too late to say anything: an answer that stops short must not look complete.
    if (!response.writableFinished) response.destroy()
    return
  }
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body
  const unread = exchange.framing.hasContent && !request.complete
  if (unread) response.shouldKeepAlive = false
  const lengthFields = status === 204 ? [] : ['Content-Length', String(bytes.length)]
  response.writeHead(status, [...fields, ...lengthFields])
  if (!unread || exchange.awaitsContinue || request.destroyed) {
    response.end(bytes)
    return
  }
  response.write(bytes)
  linger(exchange)
}

/** The answer to a connection whose request never became one. */
export function rawAnswer(code: AnswerCode): string {
  const { status } = answers[code]
  const body = problemText(code)
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'Content-Type: application/problem+json',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

/** Problem details, as the guards of the library send them. RFC 9457. */
function problemText(code: AnswerCode): string {
  const { status, text } = answers[code]
  return `${JSON.stringify({ title: STATUS_CODES[status], status, detail: text, reason: code })}\n`
}

function linger({ request, response }: Exchange): void {
  let read = 0
  const finish = (): void => {
    clearTimeout(timer)
    request.removeListener('data', onData)
    response.end()
  }
  const onData = (chunk: Buffer): void => {
    read += chunk.length
    if (read > lingerBytes) finish()
  }
  const timer = setTimeout(finish, lingerMs)
  request.once('end', finish)
  request.once('close', finish)
  request.on('error', () => undefined)
  request.on('data', onData)
  request.resume()
}
