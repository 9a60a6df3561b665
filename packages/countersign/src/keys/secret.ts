import { base64Decode, base64urlDecode } from '../bytes/base64.ts'
import { hexDecode } from '../bytes/hex.ts'
import { utf8Encode } from '../bytes/utf8.ts'
import { CountersignError } from '../reasons/error.ts'

let reveal: (secret: Secret) => Uint8Array

/**
 * Bytes of a shared secret that do not print: text, JSON and console output show `[secret]`.
 * Backends cache what they derive by the identity of this object, so it is dropped with the credential.
 */
export class Secret {
  readonly #bytes: Uint8Array

  static {
    reveal = (secret) => secret.#bytes
    Object.defineProperty(Secret.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value: () => '[secret]',
    })
  }

  constructor(bytes: Uint8Array) {
    // Not `slice`: that of a Buffer gives a window on the same memory.
    this.#bytes = new Uint8Array(bytes)
  }

  /** Length in bytes. */
  get length(): number {
    return this.#bytes.length
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }
}

/** Gives the bytes of a secret. For backends and stores; never for logs. */
export function secretBytes(secret: Secret): Uint8Array {
  return reveal(secret)
}

/** Makes a secret from text that says how its bytes are written. A plain string elsewhere means its UTF-8 bytes. */
export const secretFrom: {
  readonly utf8: (text: string) => Secret
  readonly hex: (text: string) => Secret
  readonly base64: (text: string) => Secret
  readonly base64url: (text: string) => Secret
  readonly bytes: (bytes: Uint8Array) => Secret
} = {
  utf8: (text) => new Secret(utf8Encode(text)),
  hex: (text) => decoded(hexDecode(text), 'hex'),
  base64: (text) => decoded(base64Decode(text), 'base64 with padding'),
  base64url: (text) => decoded(base64urlDecode(text), 'base64url without padding'),
  bytes: (bytes) => new Secret(bytes),
}

function decoded(bytes: Uint8Array | undefined, encoding: string): Secret {
  if (bytes === undefined) {
    throw new CountersignError(
      'key-invalid',
      `secret: expected ${encoding}; the text given is not (it is not shown here)`,
    )
  }
  return new Secret(bytes)
}
