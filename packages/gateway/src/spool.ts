import { createHash, type Hash, hash, randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { BodyProblem, BodySource, HashName } from 'countersign'

/** Why a body could not be taken in whole. */
export type BodyTrouble = 'too-large' | 'aborted' | 'slow' | 'malformed' | 'storage'

/** A body that may go on, or why it may not. Neither: it is on its way already. */
export interface ReleasedBody {
  readonly trouble?: BodyTrouble
  /** Bytes, or a stream of known or unknown length. */
  readonly content?: Buffer | Readable
  /** Length of the content. */
  readonly length?: number
}

/** A body between client and upstream. */
export interface HeldBody extends BodySource {
  /** Why it could not be had, once that is known. */
  readonly trouble: BodyTrouble | undefined
  /** Lets it go on, after a verdict that accepts it. */
  release(): Promise<ReleasedBody>
  /** Gives up on a body that is still arriving. */
  abort(trouble: BodyTrouble): void
  /** Lets go of memory, file and upstream. */
  dispose(): void
}

/** What a spool is made from. */
export interface SpoolOptions {
  /** The request, unread. */
  readonly stream: Readable
  /** Content-Length, where the request has one. */
  readonly declaredBytes: number | undefined
  /** Most bytes accepted, inclusive. */
  readonly limitBytes: number
  /** Most bytes held in memory; more go to a temporary file. Also the most that a scheme may MAC as a whole. */
  readonly memoryBytes: number
  /** Where temporary files are made. Default: the directory of the system. */
  readonly directory?: string | undefined
  /** Called once before the first byte is read: the moment for `100 Continue`. */
  readonly beforeRead?: () => void
}

// Bodies known to be no larger are hashed in one call at their end, which costs 0.4 of hashing piece by piece at 1 KiB.
const oneShotBytes = 65_536

/**
 * Takes a request body in: hashes it while it arrives, holds it in memory and then in a file that has no name, and gives it out
 * again to whoever forwards it. Nothing is read before somebody asks.
 */
export class Spool implements HeldBody {
  readonly kind = 'body-source'
  readonly #options: SpoolOptions
  // Filled where the body is hashed as it arrives.
  readonly #hashes = new Map<HashName, Hash>()
  readonly #digests = new Map<HashName, string>()
  #chunks: Buffer[] = []
  #length = 0
  #limitBytes = 0
  #file: FileHandle | undefined
  #filled: Promise<BodyTrouble | undefined> | undefined
  #settle: ((trouble: BodyTrouble | undefined) => void) | undefined
  #trouble: BodyTrouble | undefined
  #writing = false
  #ended = false
  #disposed = false
  readonly #oneShot: boolean

  constructor(options: SpoolOptions) {
    this.#options = options
    const { declaredBytes = Number.POSITIVE_INFINITY, memoryBytes } = options
    this.#oneShot = declaredBytes <= Math.min(oneShotBytes, memoryBytes)
  }

  /** Why the body could not be had, once that is known. */
  get trouble(): BodyTrouble | undefined {
    return this.#trouble
  }

  /** Reads the body to its end. Gives what went wrong, or `undefined` where it is there in whole. */
  fill(limitBytes: number = this.#options.limitBytes): Promise<BodyTrouble | undefined> {
    this.#filled ??= this.#read(Math.min(limitBytes, this.#options.limitBytes))
    return this.#filled
  }

  /** Gives up on a body that is still arriving. */
  abort(trouble: BodyTrouble): void {
    if (this.#settle !== undefined) this.#finish(trouble)
    else if (this.#filled === undefined) {
      this.#trouble = trouble
      this.#filled = Promise.resolve(trouble)
    }
  }

  /** The whole body, for schemes that put it under the MAC. */
  async bytes(limitBytes: number): Promise<Uint8Array | BodyProblem> {
    const most = Math.min(limitBytes, this.#options.memoryBytes)
    const trouble = await this.fill(most)
    if (trouble !== undefined) return this.#problem(trouble)
    return this.#length > most ? this.#problem('too-large') : this.#whole()
  }

  /** Digests of the body, hashed while it arrives. */
  async digests(
    hashNames: readonly HashName[],
    limitBytes: number,
  ): Promise<readonly string[] | BodyProblem> {
    if (this.#filled === undefined && !this.#oneShot) {
      for (const name of hashNames) this.#hashes.set(name, createHash(name))
    }
    const trouble = await this.fill(limitBytes)
    if (trouble !== undefined) return this.#problem(trouble)
    if (this.#length > limitBytes) return this.#problem('too-large')
    const digests: string[] = []
    for (const name of hashNames) digests.push(await this.#digest(name))
    return digests
  }

  async release(): Promise<ReleasedBody> {
    const trouble = await this.fill()
    if (trouble !== undefined) return { trouble }
    return { content: this.#content(), length: this.#length }
  }

  /** Lets go of memory and file. */
  dispose(): void {
    this.#disposed = true
    this.abort('aborted')
    this.#chunks = []
    const file = this.#file
    this.#file = undefined
    file?.close().catch(() => undefined)
  }

  #problem(trouble: BodyTrouble): BodyProblem {
    this.#trouble = trouble
    return { kind: 'body-problem', problem: trouble === 'too-large' ? 'too-large' : 'incomplete' }
  }

  #read(limitBytes: number): Promise<BodyTrouble | undefined> {
    const { stream, declaredBytes, beforeRead } = this.#options
    this.#limitBytes = limitBytes
    if ((declaredBytes ?? 0) > limitBytes) {
      this.#trouble = 'too-large'
      return Promise.resolve('too-large')
    }
    if (stream.destroyed) {
      this.#trouble = 'aborted'
      return Promise.resolve('aborted')
    }
    beforeRead?.()
    return new Promise((resolve) => {
      this.#settle = resolve
      stream.on('data', this.#onData)
      stream.on('end', this.#onEnd)
      // Never taken off again: an error that comes late must not end the process.
      stream.on('error', this.#onClose)
      stream.on('close', this.#onClose)
    })
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#length += chunk.length
    if (this.#length > this.#limitBytes) {
      this.#finish('too-large')
      return
    }
    for (const hasher of this.#hashes.values()) hasher.update(chunk)
    appendPiece(this.#chunks, chunk)
    if (this.#file !== undefined || this.#length > this.#options.memoryBytes) this.#store()
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    if (!this.#writing) this.#finish(undefined)
  }

  readonly #onClose = (): void => {
    if (!this.#ended) this.#finish('aborted')
  }

  /** Moves what is in memory to the file, holding the sender back meanwhile. */
  #store(): void {
    const { stream } = this.#options
    stream.pause()
    if (this.#writing) return
    this.#writing = true
    const write = async (): Promise<void> => {
      this.#file ??= await openUnnamed(this.#options.directory ?? tmpdir())
      while (this.#chunks.length > 0) {
        const chunks = this.#chunks
        this.#chunks = []
        await this.#file.writev(chunks)
      }
    }
    write().then(
      () => {
        this.#writing = false
        if (this.#disposed) return this.dispose()
        if (this.#settle === undefined) return
        if (this.#ended) this.#finish(undefined)
        else stream.resume()
      },
      () => {
        this.#writing = false
        this.#finish('storage')
      },
    )
  }

  #finish(trouble: BodyTrouble | undefined): void {
    const settle = this.#settle
    if (settle === undefined) return
    this.#settle = undefined
    this.#trouble = trouble
    const { stream } = this.#options
    stream.removeListener('data', this.#onData)
    stream.removeListener('end', this.#onEnd)
    stream.removeListener('close', this.#onClose)
    if (trouble !== undefined) {
      stream.pause()
      this.#chunks = []
    }
    settle(trouble)
  }

  #content(): Buffer | Readable {
    return this.#file === undefined
      ? this.#whole()
      : this.#file.createReadStream({ start: 0, autoClose: false, highWaterMark: 65_536 })
  }

  #whole(): Buffer {
    const only = this.#chunks[0]
    if (only !== undefined && this.#chunks.length === 1) return only
    const whole = Buffer.concat(this.#chunks)
    this.#chunks = [whole]
    return whole
  }

  async #digest(name: HashName): Promise<string> {
    const known = this.#digests.get(name)
    if (known !== undefined) return known
    const digest = await this.#compute(name)
    this.#digests.set(name, digest)
    return digest
  }

  async #compute(name: HashName): Promise<string> {
    const onTheWay = this.#hashes.get(name)
    if (onTheWay !== undefined) return onTheWay.digest('base64')
    if (this.#oneShot) return hash(name, this.#whole(), 'base64')
    const hasher = createHash(name)
    if (this.#file === undefined) for (const chunk of this.#chunks) hasher.update(chunk)
    else {
      const content = this.#file.createReadStream({ start: 0, autoClose: false })
      for await (const chunk of content) hasher.update(chunk)
    }
    return hasher.digest('base64')
  }
}

/** Adds a piece to those held. Small ones are joined: a sender of single bytes must not cost a buffer for each. */
export function appendPiece(pieces: Buffer[], piece: Buffer): void {
  const last = pieces[pieces.length - 1]
  if (last !== undefined && last.length + piece.length <= 4096) {
    pieces[pieces.length - 1] = Buffer.concat([last, piece])
  } else pieces.push(piece)
}

/** Opens a temporary file that only this process can reach: mode 0600, and unlinked at once. */
async function openUnnamed(directory: string): Promise<FileHandle> {
  const path = join(directory, `countersign-${randomUUID()}`)
  const file = await open(path, 'wx+', 0o600)
  try {
    await unlink(path)
  } catch (cause) {
    await file.close()
    throw cause
  }
  return file
}
