import type { PublicKeyInput } from '../keys/key.ts'
import type { Secret } from '../keys/secret.ts'

/** One version of a shared secret, for rotation with an overlap. */
export interface CredentialSecret {
  /** A plain string is its UTF-8 bytes; `secretFrom` says otherwise. */
  readonly secret: string | Secret
  /** Valid from this instant on. Whole seconds since the epoch. */
  readonly notBeforeAt?: number
  /** Valid through this instant. Whole seconds since the epoch. */
  readonly expiresAt?: number
  /** Counts up with each rotation. */
  readonly version?: number
}

/** Who may sign, with what, and what they may do. */
export interface Credential {
  /** Key id as it stands in messages. */
  readonly id: string
  /** A plain string is its UTF-8 bytes; `secretFrom.hex/base64/base64url/bytes` say otherwise. */
  readonly secret?: string | Secret
  /** Several versions of the secret; any live one verifies, the newest live one signs. */
  readonly secrets?: readonly CredentialSecret[]
  /** Public for verifying, private for signing. */
  readonly key?: PublicKeyInput
  /** Binds the credential to one algorithm; a message cannot choose another. Default: what scheme and key imply. */
  readonly algorithm?: string
  readonly rights?: readonly string[]
  readonly owner?: string
  /** Default true. */
  readonly active?: boolean
  /** Whole seconds since the epoch. */
  readonly notBeforeAt?: number
  /** Valid through this instant. Whole seconds since the epoch. */
  readonly expiresAt?: number
}
