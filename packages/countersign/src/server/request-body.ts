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

/** What `RequestBody` takes. @internal */
export interface RequestBodyOptions<S extends BodyStream> {
  readonly stream: S
  /** Content-Length, where the request has one. */
  readonly declaredBytes: number | undefined
  /** How long the body may take from when it is first asked for. */
  readonly timeoutMs: number
  /** Called before the first byte is read. */
  readonly beforeRead?: (stream: S) => void
}

/**
 * Reads a Node request body when the verifier asks for it, and puts every byte back in front of the stream before its
 * `end`, so that the parser behind the guard reads it as if nobody had. A class: it lives as long as its request.
 * @internal
 */
export class RequestBody<S extends BodyStream = BodyStream> implements BodySource {
  readonly kind = 'body-source'
  readonly #options: RequestBodyOptions<S>
  #touched = false
  #held: Uint8Array | undefined
  #reading: Promise<Uint8Array | BodyProblem> | undefined

  constructor(options: RequestBodyOptions<S>) {
    this.#options = options
  }

  /** True from the first read on. What the stream says of being read is then this guard's own doing. */
  get touched(): boolean {
    return this.#touched
  }

  bytes(limitBytes: number): MaybePromise<Uint8Array | BodyProblem> {
    if (this.#held !== undefined)
      return this.#held.length > limitBytes ? bodyProblem('too-large') : this.#held
    if (this.#reading !== undefined) return this.#reading.then(() => this.bytes(limitBytes))
    const { stream, declaredBytes, beforeRead } = this.#options
    if (declaredBytes !== undefined && declaredBytes > limitBytes) return bodyProblem('too-large')
    if (stream.readableEnded) {
      throw new CountersignError('body-already-read', 'the body was read before it could be verified')
    }
    if (!this.#touched) beforeRead?.(stream)
    this.#touched = true
    if (isComplete(stream)) return this.#keep(takeComplete(stream, limitBytes))
    this.#reading = this.#collect(limitBytes)
    return this.#reading
  }

  async #collect(limitBytes: number): Promise<Uint8Array | BodyProblem> {
    // Lets Node's parser finish the packet in hand: a body that came with its header fields is complete after it, and
    // an empty one would otherwise meet its `end` while a 'readable' listener is on, before the parser behind listens.
    await undefined
    const { stream, timeoutMs } = this.#options
    const isAll = isComplete(stream)
    const read = isAll ? takeComplete(stream, limitBytes) : await collect(stream, limitBytes, timeoutMs)
    this.#reading = undefined
    return this.#keep(read)
  }

  #keep(read: Uint8Array | BodyProblem): Uint8Array | BodyProblem {
    if (read instanceof Uint8Array) this.#held = read
    return read
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

function collect(
  stream: BodyStream,
  limitBytes: number,
  timeoutMs: number,
): Promise<Uint8Array | BodyProblem> {
  if (stream.destroyed) return Promise.resolve(bodyProblem('incomplete'))
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
