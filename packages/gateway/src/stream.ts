import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { BodyProblem, HashName } from 'countersign'
import {
  appendPiece,
  type BodyTrouble,
  type HeldBody,
  type ReleasedBody,
  Spool,
  type SpoolOptions,
} from './spool.ts'

/** What a streamed body is made from. */
export interface StreamedBodyOptions extends SpoolOptions {
  /**
   * Called once, when more has come than is held back and the signature over the header is proven: opens the way upstream.
   * Gives false where the request must not be begun; it is judged to its end all the same.
   */
  readonly begin: (content: Readable) => boolean
}

/** The last bytes of a body, which are held back until the verdict, in bytes. */
export const heldBackBytes = 65_536

/**
 * Hashes a request body on its way to the upstream. The last 64 KiB, or all of it where it is smaller, stay here until the verdict:
 * `release` lets them go, `cut` breaks the upstream request off. A scheme that MACs the whole body has it spooled instead.
 */
export class StreamedBody implements HeldBody {
  readonly kind = 'body-source'
  readonly #options: StreamedBodyOptions
  readonly #spool: Spool
  readonly #hashes: Hash[] = []
  readonly #names: HashName[] = []
  #digests: Promise<readonly string[] | BodyTrouble> | undefined
  #settle: ((digests: readonly string[] | BodyTrouble) => void) | undefined
  #held: Buffer[] = []
  #heldBytes = 0
  #length = 0
  #state: 'unread' | 'spooled' | 'reading' | 'whole' | 'failed' = 'unread'
  #way: 'closed' | 'open' | 'refused' = 'closed'
  #content: Readable | undefined
  #trouble: BodyTrouble | undefined

  constructor(options: StreamedBodyOptions) {
    this.#options = options
    this.#spool = new Spool(options)
  }

  /** Why the body could not be had, once that is known. */
  get trouble(): BodyTrouble | undefined {
    return this.#state === 'spooled' || this.#state === 'unread' ? this.#spool.trouble : this.#trouble
  }

  async bytes(limitBytes: number): Promise<Uint8Array | BodyProblem> {
    if (this.#state === 'unread') this.#state = 'spooled'
    if (this.#state === 'spooled') return this.#spool.bytes(limitBytes)
    // Hashed on its way: it is not here any more.
    return { kind: 'body-problem', problem: 'incomplete' }
  }

  async digests(
    hashNames: readonly HashName[],
    limitBytes: number,
  ): Promise<readonly string[] | BodyProblem> {
    if (this.#state === 'spooled') return this.#spool.digests(hashNames, limitBytes)
    if (this.#digests === undefined) {
      this.#names.push(...hashNames)
      for (const name of hashNames) this.#hashes.push(createHash(name))
      this.#digests = this.#read()
    }
    const made = await this.#digests
    if (typeof made === 'string') {
      return { kind: 'body-problem', problem: made === 'too-large' ? 'too-large' : 'incomplete' }
    }
    const wanted: string[] = []
    for (const name of hashNames) {
      const digest = made[this.#names.indexOf(name)]
      if (digest === undefined) return { kind: 'body-problem', problem: 'incomplete' }
      wanted.push(digest)
    }
    return wanted
  }

  async release(): Promise<ReleasedBody> {
    if (this.#state === 'unread') this.#state = 'spooled'
    if (this.#state === 'spooled') return this.#spool.release()
    if (this.#trouble !== undefined) return { trouble: this.#trouble }
    const held = this.#held
    this.#held = []
    if (this.#content === undefined) return { content: Buffer.concat(held), length: this.#length }
    if (this.#way === 'open') {
      for (const piece of held) this.#content.push(piece)
      this.#content.push(null)
    }
    return {}
  }

  /** The upstream has answered early: what still comes is judged, not sent. */
  stopSending(): void {
    if (this.#way !== 'open') return
    this.#way = 'refused'
    this.#options.stream.resume()
  }

  abort(trouble: BodyTrouble): void {
    this.#spool.abort(trouble)
    this.#end(trouble)
  }

  dispose(): void {
    this.abort('aborted')
    this.#spool.dispose()
    this.#held = []
    this.#content?.destroy(new Error('the request was not accepted'))
  }

  #read(): Promise<readonly string[] | BodyTrouble> {
    const { stream, declaredBytes, limitBytes, beforeRead } = this.#options
    this.#state = 'reading'
    if ((declaredBytes ?? 0) > limitBytes || stream.destroyed) {
      this.#trouble = stream.destroyed ? 'aborted' : 'too-large'
      this.#state = 'failed'
      return Promise.resolve(this.#trouble)
    }
    beforeRead?.()
    return new Promise((resolve) => {
      this.#settle = resolve
      stream.on('data', this.#onData)
      stream.on('end', () => this.#end(undefined))
      stream.on('error', () => this.#end('aborted'))
      stream.on('close', () => this.#end('aborted'))
    })
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#settle === undefined) return
    this.#length += chunk.length
    if (this.#length > this.#options.limitBytes) {
      this.#end('too-large')
      return
    }
    for (const hasher of this.#hashes) hasher.update(chunk)
    if (this.#way === 'refused') return
    appendPiece(this.#held, chunk)
    this.#heldBytes += chunk.length
    this.#forward()
  }

  /** Sends on what is not among the last bytes. */
  #forward(): void {
    for (;;) {
      const first = this.#held[0]
      if (first === undefined || this.#heldBytes - first.length < heldBackBytes) return
      if (this.#way === 'closed') this.#open()
      if (this.#way === 'refused') {
        this.#held = []
        return
      }
      this.#held.shift()
      this.#heldBytes -= first.length
      if (this.#content?.push(first) === false) this.#options.stream.pause()
    }
  }

  #open(): void {
    const { stream, begin } = this.#options
    const content = new Readable({ read: () => stream.resume() })
    // Breaking off is told to the upstream request, which reports it; nobody else listens.
    content.on('error', () => undefined)
    this.#way = begin(content) ? 'open' : 'refused'
    if (this.#way === 'open') this.#content = content
  }

  #end(trouble: BodyTrouble | undefined): void {
    const settle = this.#settle
    if (settle === undefined) return
    this.#settle = undefined
    const { stream } = this.#options
    stream.removeListener('data', this.#onData)
    this.#trouble = trouble
    this.#state = trouble === undefined ? 'whole' : 'failed'
    if (trouble !== undefined) {
      stream.pause()
      this.#content?.destroy(new Error('the request broke off'))
    }
    settle(trouble ?? this.#hashes.map((hasher) => hasher.digest('base64')))
  }
}
