/** One version of a credential's secret, without the secret. Instants are whole seconds since the epoch. */
export interface SecretVersion {
  /** Counts from 1. */
  readonly version: number
  readonly createdAt: number
  readonly notBeforeAt: number | undefined
  /** Valid through this instant. */
  readonly expiresAt: number | undefined
}

/** What may be shown of a credential: never its secrets. Instants are whole seconds since the epoch. */
export interface CredentialRecord {
  readonly id: string
  /** The only scheme it serves, or `undefined` for any. */
  readonly scheme: string | undefined
  readonly algorithm: string | undefined
  readonly kind: 'secret' | 'key'
  readonly rights: readonly string[]
  readonly owner: string | undefined
  readonly active: boolean
  readonly createdAt: number
  readonly notBeforeAt: number | undefined
  readonly expiresAt: number | undefined
  readonly revokedAt: number | undefined
  /** Oldest first; empty where `kind` is `key`. */
  readonly versions: readonly SecretVersion[]
  /** False where the row was changed by other hands or sealed under another master key. Such a credential is never used. */
  readonly intact: boolean
}
