import { concatBytes } from '../bytes/concat.ts'
import type { Body } from './body.ts'
import { bodyProblem } from './body.ts'
import { type RequestMessage, requestMessage } from './message.ts'

/**
 * Reads a WHATWG `Request` as a message. What the platform has already changed cannot be known any more: the URL is
 * normalised, repeated fields are joined and names lower-cased. Components that depend on these are read as they are now.
 * The body is read from a clone, so that the handler still has its own.
 */
export function fetchRequest(request: Request): RequestMessage {
  return requestMessage({
    method: request.method,
    url: request.url,
    headers: request.headers,
    body: bodyOf(request),
  })
}

function bodyOf(request: Request): Body {
  if (request.body === null) return undefined
  let held: Uint8Array | undefined
  return {
    kind: 'body-source',
    async bytes(limitBytes) {
      if (held === undefined) {
        const read = await readStream(request.clone().body, limitBytes)
        if (read === undefined) return bodyProblem('too-large')
        held = read
      }
      return held.length > limitBytes ? bodyProblem('too-large') : held
    },
  }
}

async function readStream(
  stream: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  if (stream === null) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let length = 0
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > limitBytes) {
      await reader.cancel()
      return undefined
    }
    parts.push(value)
  }
  return concatBytes(parts)
}
