import { concatBytes } from '../bytes/concat.ts'
import { CountersignError } from '../reasons/error.ts'
import { type Body, type BodyProblem, bodyProblem } from './body.ts'
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
        if (request.bodyUsed) {
          throw new CountersignError(
            'body-already-read',
            'the body of the Request was read before it could be verified: verify first, or hand on request.clone()',
          )
        }
        const read = await readStream(request.clone().body, limitBytes)
        if (!(read instanceof Uint8Array)) return read
        held = read
      }
      return held.length > limitBytes ? bodyProblem('too-large') : held
    },
  }
}

async function readStream(
  stream: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Uint8Array | BodyProblem> {
  if (stream === null) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let length = 0
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return concatBytes(parts)
      length += value.length
      if (length > limitBytes) {
        // Not awaited: a clone is only cancelled once the other half is, and that is the handler's.
        reader.cancel().catch(() => undefined)
        return bodyProblem('too-large')
      }
      parts.push(value)
    }
  } catch {
    // The sender went away, or sent what the runtime cannot read.
    return bodyProblem('incomplete')
  }
}
