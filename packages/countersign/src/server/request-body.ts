import type { BodyProblem, BodySource, MaybePromise } from '../message/body.ts'
import { bodyProblem } from '../message/body.ts'
import { CountersignError } from '../reasons/error.ts'

/** What of a Node request stream is used to read it and put it back. `IncomingMessage` and HTTP/2's compatible request have it. @internal */
export interface BodyStream {
  /** HTTP/1: the whole message has arrived. Requests that `inject` of Fastify makes up lack it. */
  readonly complete?: boolean
  readonly _readableState?: { readonly ended?: boolean }
  readonly destroyed: boolean
  readonly readableEnded: boolean
  readonly readableLength: number
  /** HTTP/2: the stream beneath, which ends when the whole message has arrived. */
  readonly stream?: { readonly readableEnded: boolean }
  read(): unknown
  unshift(bytes: Uint8Array): void
  pause(): unknown
  on(event: string, listener: (value?: unknown) => void): unknown
  removeListener(event: string, listener: (value?: unknown) => void): unknown
}

/** What `requestBody` takes. @internal */
export interface RequestBodyOptions {
  /** Content-Length, where the request has one. */
  readonly declaredBytes: number | undefined
  /** How long the body may take from when it is first asked for. */
  readonly timeoutMs: number
  /** Called before the first byte is read. */
  readonly beforeRead?: () => void
}

/** A request body that knows whether this guard has read it. @internal */
export interface RequestBody extends BodySource {
  /** True from the first read on. What the stream says of being read is then this guard's own doing. */
  readonly touched: boolean
}

/**
 * Reads a Node request body when the verifier asks for it, and puts every byte back in front of the stream before its
 * `end`, so that the parser behind the guard reads it as if nobody had.
 * @internal
 */
export function requestBody(stream: BodyStream, options: RequestBodyOptions): RequestBody {
  const { declaredBytes, timeoutMs, beforeRead } = options
  let touched = false
  let held: Uint8Array | undefined
  let reading: Promise<Uint8Array | BodyProblem> | undefined

  const keep = (read: Uint8Array | BodyProblem): Uint8Array | BodyProblem => {
    reading = undefined
    if (read instanceof Uint8Array) held = read
    return read
  }
  const bytes = (limitBytes: number): MaybePromise<Uint8Array | BodyProblem> => {
    if (held !== undefined) return held.length > limitBytes ? bodyProblem('too-large') : held
    if (reading !== undefined) return reading.then(() => bytes(limitBytes))
    if (declaredBytes !== undefined && declaredBytes > limitBytes) return bodyProblem('too-large')
    if (stream.readableEnded) {
      throw new CountersignError('body-already-read', 'the body was read before it could be verified')
    }
    if (!touched) beforeRead?.()
    touched = true
    if (isComplete(stream)) return keep(takeComplete(stream, limitBytes))
    reading = collect(stream, limitBytes, timeoutMs).then(keep)
    return reading
  }
  return {
    kind: 'body-source',
    bytes,
    get touched() {
      return touched
    },
  }
}

/** Tells whether the whole body has arrived, read or not. @internal */
export function isComplete(stream: BodyStream): boolean {
  if (stream.stream !== undefined) return stream.stream.readableEnded
  return stream.complete ?? stream._readableState?.ended === true
}

/**
 * Reads and drops what still arrives, until the body ends, `limitBytes` came or `timeoutMs` passed, so that a client
 * that is still sending gets to read the answer before the connection closes.
 * @internal
 */
export function drain(stream: BodyStream, limitBytes: number, timeoutMs: number): Promise<void> {
  if (isComplete(stream) || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let drained = 0
    const finish = (): void => {
      clearTimeout(timer)
      stream.removeListener('data', onData)
      stream.removeListener('end', finish)
      stream.removeListener('close', finish)
      stream.pause()
      resolve()
    }
    const onData = (chunk: unknown): void => {
      drained += chunk instanceof Uint8Array ? chunk.length : 0
      if (drained > limitBytes) finish()
    }
    const timer = setTimeout(finish, timeoutMs)
    stream.on('end', finish)
    stream.on('close', finish)
    stream.on('data', onData)
  })
}

function takeComplete(stream: BodyStream, limitBytes: number): Uint8Array | BodyProblem {
  if (stream.destroyed) return bodyProblem('incomplete')
  if (stream.readableLength > limitBytes) return bodyProblem('too-large')
  return putBack(readInto(nothing, stream, limitBytes), stream)
}

async function collect(
  stream: BodyStream,
  limitBytes: number,
  timeoutMs: number,
): Promise<Uint8Array | BodyProblem> {
  // Lets Node's parser finish the packet in hand: a body that came with its header fields is complete after it, and
  // an empty one would otherwise meet its `end` while a 'readable' listener is on, before the parser behind listens.
  await undefined
  if (isComplete(stream)) return takeComplete(stream, limitBytes)
  if (stream.destroyed) return bodyProblem('incomplete')
  return new Promise((resolve) => {
    let taken = nothing
    const finish = (problem: BodyProblem | undefined): void => {
      clearTimeout(timer)
      stream.removeListener('readable', onReadable)
      stream.removeListener('close', onClose)
      const bytes = putBack(taken, stream)
      resolve(problem ?? bytes)
    }
    const onReadable = (): void => {
      taken = readInto(taken, stream, limitBytes)
      if (taken.length > limitBytes) finish(bodyProblem('too-large'))
      else if (isComplete(stream)) finish(undefined)
    }
    const onClose = (): void => finish(bodyProblem('incomplete'))
    const timer = setTimeout(onClose, timeoutMs)
    stream.on('readable', onReadable)
    stream.on('close', onClose)
  })
}

/** Bytes read so far: the first `length` of `room`. */
interface Taken {
  readonly room: Uint8Array
  readonly length: number
}

const nothing: Taken = { room: new Uint8Array(0), length: 0 }

/** Reads what is buffered, never when nothing is: a read of nothing at the end makes the stream emit its `end`. */
function readInto(taken: Taken, stream: BodyStream, limitBytes: number): Taken {
  let { room, length } = taken
  while (stream.readableLength > 0) {
    const chunk = stream.read()
    if (!(chunk instanceof Uint8Array)) break
    const needed = length + chunk.length
    if (length === 0) room = chunk
    else {
      // Grows by doubling: a list of chunks would cost a client that sends single bytes 100 times their size.
      if (needed > room.length) {
        const larger = new Uint8Array(Math.max(needed, Math.min(2 * needed, limitBytes)))
        larger.set(room.subarray(0, length))
        room = larger
      }
      room.set(chunk, length)
    }
    length = needed
  }
  return { room, length }
}

/** Puts back what was read, in the same turn: the `end` that a last read has set off then waits until it is read again. */
function putBack({ room, length }: Taken, stream: BodyStream): Uint8Array {
  const bytes = length === room.length ? room : room.subarray(0, length)
  if (length > 0) stream.unshift(bytes)
  return bytes
}
