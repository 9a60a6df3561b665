import type { World } from '../../world.ts'

/** A new secret: the text that people paste, and the bytes that sign. */
export interface NewSecret {
  readonly text: string
  readonly bytes: Uint8Array
}

/** Says under a new secret what it is. */
export const secretAdvice =
  'Keep the secret now: it is stored sealed and never shown again. Its text is the secret, nothing is to be decoded.\n'

/**
 * Makes a secret of 256 random bits: base64url text whose UTF-8 bytes are the secret itself, so that a client in curl,
 * openssl or any language pastes it as it is.
 */
export function newSecret({ random }: World): NewSecret {
  const text = Buffer.from(random(32)).toString('base64url')
  return { text, bytes: new Uint8Array(Buffer.from(text)) }
}
