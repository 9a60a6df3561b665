import type { HashName } from '../algorithms/hashes.ts'

/** A value now, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Tells a promise, of whatever make: where the global `Promise` was replaced, what async functions give is not an instance of it,
 * and taken for a value it would be truthy.
 */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Why a body could not be had: over the limit, or cut off by the sender. */
export interface BodyProblem {
  readonly kind: 'body-problem'
  readonly problem: 'too-large' | 'incomplete'
}

/** Content that is still to be read, once, by whoever asks first. A door makes it from its connection. */
export interface BodySource {
  readonly kind: 'body-source'
  /** Reads all bytes and keeps them for later readers. `limitBytes` is inclusive. */
  bytes(limitBytes: number): MaybePromise<Uint8Array | BodyProblem>
  /** Hashes the bytes without holding them: one base64 digest for each hash. Absent: `bytes` is read and hashed. */
  digests?(hashNames: readonly HashName[], limitBytes: number): MaybePromise<readonly string[] | BodyProblem>
}

/** The content of a message: bytes at hand, a source, or `undefined` where the framing says there is none. */
export type Body = Uint8Array | BodySource | undefined

/** Tells whether a message has content, as far as its framing says. An empty byte array is none. */
export function hasContent(body: Body): boolean {
  return body !== undefined && (body instanceof Uint8Array ? body.length > 0 : true)
}

/** Makes a body problem. */
export function bodyProblem(problem: BodyProblem['problem']): BodyProblem {
  return { kind: 'body-problem', problem }
}
