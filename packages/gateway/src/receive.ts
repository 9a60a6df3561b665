import { forwardedOrigin, type RequestMessage, wireRequest } from 'countersign'
import type { AnswerCode } from './answers.ts'
import type { Exchange } from './exchange.ts'
import { connectionProblem } from './fields.ts'
import type { Site } from './site.ts'

/** A request as received, before anything was decided about it. */
export interface Received {
  /** Without its content. A `problem` means that it cannot be judged. */
  readonly message: RequestMessage
  readonly peer: string
  /** Whether the peer is a trusted proxy. */
  readonly trusted: boolean
}

/** Why a request is turned away before it is judged. */
export interface TurnedAway {
  readonly code: AnswerCode
  readonly detail: string
}

/** Holds a request against the limits; gives why it is turned away. Nothing of its content is read. */
export function limitProblem({ request, framing }: Exchange, { config }: Site): TurnedAway | undefined {
  const { limits } = config
  // Over a plain connection the parser takes any of 0.9, 1.0, 1.1 and 2.0. RFC 9112 section 2.3.
  if (request.httpVersionMajor !== 1) return { code: 'version-refused', detail: request.httpVersion }
  const target = request.url ?? ''
  if (target.length > limits.targetBytes) {
    return { code: 'target-too-long', detail: `over ${limits.targetBytes} bytes` }
  }
  const { rawHeaders } = request
  if (rawHeaders.length > 2 * limits.fields)
    return { code: 'fields-too-large', detail: `over ${limits.fields} fields` }
  let bytes = 0
  // Two more for each of name and value: colon, blank, line end.
  for (const part of rawHeaders) bytes += part.length + 2
  if (bytes > limits.fieldBytes)
    return { code: 'fields-too-large', detail: `over ${limits.fieldBytes} bytes` }
  if (framing.problem !== undefined) return { code: 'framing-refused', detail: framing.problem }
  const connection = connectionProblem(rawHeaders)
  if (connection !== undefined) return { code: 'fields-refused', detail: connection }
  // It would show the fields of the request, signatures among them, to whoever made the client send it.
  if (request.method === 'TRACE') return { code: 'method-refused', detail: 'TRACE' }
  return undefined
}

/** Makes a message of a request: raw target, raw field lines, the host and scheme that its URL had for the client. */
export function receive({ request }: Exchange, { config, trusts }: Site): Received {
  const { rawHeaders, socket } = request
  const address = socket.remoteAddress
  const trusted = trusts(address)
  const origin = trusted ? forwardedOrigin(rawHeaders) : undefined
  const said = typeof origin === 'string' ? undefined : origin
  const wire = {
    method: request.method ?? '',
    target: request.url ?? '',
    scheme: said?.scheme ?? config.publicScheme,
    fields: rawHeaders,
    body: undefined,
  }
  const message = wireRequest(said?.authority === undefined ? wire : { ...wire, authority: said.authority })
  return {
    message: typeof origin === 'string' ? { ...message, problem: origin } : message,
    peer: plainAddress(address),
    trusted,
  }
}

function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
