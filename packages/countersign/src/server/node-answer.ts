import { utf8Encode } from '../bytes/utf8.ts'
import { awaitsContinue, type NodeRequest, owesBody } from './from-node.ts'
import { drain } from './request-body.ts'
import type { Answer } from './respond.ts'

/** What of a Node response is used. @internal */
export interface NodeResponse {
  statusCode: number
  readonly headersSent: boolean
  setHeader(name: string, value: string | readonly string[]): unknown
  flushHeaders?(): void
  write(bytes: Uint8Array): unknown
  end(bytes: Uint8Array): unknown
  end(): unknown
}

const drainLimitBytes = 65_536
const drainTimeoutMs = 500
const noBytes = new Uint8Array(0)

/** Gives the fields of an answer with their values gathered by name, as Node sets them. @internal */
export function gatheredFields(answer: Answer): ReadonlyMap<string, string | readonly string[]> {
  const fields = new Map<string, string | readonly string[]>()
  for (const [name, value] of answer.headers) {
    const key = name.toLowerCase()
    const before = fields.get(key)
    fields.set(
      key,
      before === undefined ? value : typeof before === 'string' ? [before, value] : [...before, value],
    )
  }
  return fields
}

/** Gives the content of an answer as bytes. @internal */
export function answerBytes({ body = noBytes }: Answer): Uint8Array {
  return typeof body === 'string' ? utf8Encode(body) : body
}

/**
 * Tells whether the connection has to close after a refusal, because more of the request may follow than is worth
 * reading. HTTP/2 resets the one stream instead.
 * @internal
 */
export function mustClose(req: NodeRequest): boolean {
  return req.httpVersionMajor < 2 && owesBody(req, drainLimitBytes)
}

/** Waits until a client that still sends has had its chance to read the answer: at most 64 KiB more, at most half a second. @internal */
export function letFinish(req: NodeRequest): Promise<void> {
  // Whoever waits for `100 Continue` sends nothing more.
  return awaitsContinue(req) ? Promise.resolve() : drain(req, drainLimitBytes, drainTimeoutMs)
}

/** Answers a refused request. Does nothing where an answer is already under way. @internal */
export function sendAnswer(req: NodeRequest, res: NodeResponse, answer: Answer): void {
  if (res.headersSent) return
  const bytes = answerBytes(answer)
  for (const [name, value] of gatheredFields(answer)) res.setHeader(name, value)
  res.statusCode = answer.status
  if (!mustClose(req)) {
    res.end(bytes)
    return
  }
  // To end the answer would close the connection with bytes unread, and the reset that follows can take the answer away
  // from a client that is still sending.
  res.setHeader('connection', 'close')
  res.setHeader('content-length', String(bytes.length))
  res.flushHeaders?.()
  if (bytes.length > 0) res.write(bytes)
  void letFinish(req).then(() => res.end())
}
