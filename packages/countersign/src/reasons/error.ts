/** A stable code of a thrown error. */
export type ErrorCode =
  | 'config-invalid'
  | 'key-invalid'
  | 'key-weak'
  | 'algorithm-unsupported'
  | 'body-already-read'
  | 'body-unavailable'
  | 'component-unavailable'
  | 'redirect-refused'
  | 'sync-impossible'
  | 'store-failed'

/** What a programmer can get wrong, by code. Wire input never throws; it gets a verdict. */
export const errorCodes: Readonly<Record<ErrorCode, string>> = {
  'config-invalid': 'An option has a value that cannot work.',
  'key-invalid': 'A key or secret cannot be read.',
  'key-weak': 'A key or secret is too weak to be used.',
  'algorithm-unsupported': 'This runtime cannot compute the algorithm.',
  'body-already-read': 'The body was consumed before the signature could be checked.',
  'body-unavailable': 'The body cannot be read, so it cannot be signed.',
  'component-unavailable': 'A component to be signed is not in the message.',
  'redirect-refused': 'A signed request was redirected to where it must not go, or too often.',
  'sync-impossible': 'A synchronous call met something that can only be answered asynchronously.',
  'store-failed': 'A store could not complete an operation.',
}

/** The one error this library throws: says what was expected, what came and what to do. Holds no secret, signature or body. */
export class CountersignError extends Error {
  override readonly name = 'CountersignError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
