import { type SignatureAlgorithm, signatureAlgorithms } from '../../algorithms/signatures.ts'
import { utf8Decode, utf8Encode } from '../../bytes/utf8.ts'
import { isPrivateKey, keyFrom } from '../../keys/key.ts'
import { CountersignError } from '../../reasons/error.ts'

/** A credential to be created: either a secret or a public key. Instants are whole seconds since the epoch. */
export interface NewCredential {
  /** 1 to 256 characters without control characters. */
  readonly id: string
  readonly secret?: Uint8Array
  /** Public key as PEM. */
  readonly key?: string
  /** Name in `algorithms/signatures.ts`. Default: what scheme and key imply. */
  readonly algorithm?: string
  /** The only scheme it serves. Default: any. */
  readonly scheme?: string
  readonly rights?: readonly string[]
  readonly owner?: string
  readonly notBeforeAt?: number
  /** Valid through this instant. */
  readonly expiresAt?: number
}

/** Longest key id, scheme, algorithm, owner or right, in characters: an index of every database takes it. */
export const limitCharacters = 256

/**
 * Tells whether text can be stored and found again unchanged: not empty, not too long, valid Unicode,
 * no control characters (PostgreSQL refuses NUL, SQLite drivers cut text at it).
 */
export function isStorable(text: string): boolean {
  if (text.length === 0 || text.length > limitCharacters) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 32 || code === 127) return false
  }
  return utf8Decode(utf8Encode(text)) === text
}

/**
 * Refuses input that cannot make a usable credential.
 * @throws CountersignError `config-invalid`, `key-invalid` or `key-weak`
 */
export function checkNewCredential(input: NewCredential): void {
  for (const [name, text] of [
    ['id', input.id],
    ['scheme', input.scheme ?? 'any'],
    ['owner', input.owner ?? 'nobody'],
    ...(input.rights ?? []).map((right) => ['rights', right] as const),
  ] as const) {
    if (!isStorable(text)) {
      throw new CountersignError(
        'config-invalid',
        `${name}: expected 1 to ${limitCharacters} characters without control characters`,
      )
    }
  }
  checkInstant('notBeforeAt', input.notBeforeAt)
  checkInstant('expiresAt', input.expiresAt)
  const algorithm = algorithmNamed(input.algorithm)
  if ((input.secret === undefined) === (input.key === undefined)) {
    throw new CountersignError('key-invalid', 'expected either a secret or a key')
  }
  const kind = input.key === undefined ? 'secret' : kindOfPublicKey(input.key)
  if (input.secret !== undefined) checkSecret(input.secret)
  if (algorithm !== undefined && algorithm.keyKind !== kind) {
    throw new CountersignError(
      'config-invalid',
      `algorithm: ${algorithm.name} takes a ${algorithm.keyKind} key, got ${kind}`,
    )
  }
}

/** @throws CountersignError `key-weak` for no bytes at all, `key-invalid` for what is not bytes. */
export function checkSecret(secret: Uint8Array): void {
  if (!(secret instanceof Uint8Array)) throw new CountersignError('key-invalid', 'secret: expected bytes')
  if (secret.length === 0) throw new CountersignError('key-weak', 'secret: expected bytes, got none')
}

function algorithmNamed(name: string | undefined): SignatureAlgorithm | undefined {
  if (name === undefined) return undefined
  const algorithm = signatureAlgorithms.get(name)
  if (algorithm !== undefined) return algorithm
  throw new CountersignError(
    'config-invalid',
    `algorithm: expected one of ${[...signatureAlgorithms.keys()].join(', ')}`,
  )
}

function kindOfPublicKey(pem: string): string {
  const key = keyFrom(pem)
  // Kept unsealed, as a public key may be.
  if (isPrivateKey(key))
    throw new CountersignError('key-invalid', 'key: expected the public half, got the private one')
  return key.kind
}

function checkInstant(name: string, instant: number | undefined): void {
  if (instant !== undefined && (!Number.isSafeInteger(instant) || instant < 0)) {
    throw new CountersignError(
      'config-invalid',
      `${name}: expected whole seconds since the epoch, got ${instant}`,
    )
  }
}
