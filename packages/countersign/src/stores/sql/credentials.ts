import type { Kysely } from 'kysely'
import type { Clock } from '../../clock/clock.ts'
import type { CredentialStore } from '../../credentials/store.ts'
import type { Sealer } from '../../keys/seal.ts'
import { CountersignError } from '../../reasons/error.ts'
import type { CredentialRecord } from './record.ts'
import type { SqlTables } from './tables.ts'

/** What `sqlCredentials` takes. */
export interface SqlCredentialsOptions {
  /** Migrated with `migrateSql`. */
  readonly db: Kysely<SqlTables>
  readonly sealer: Sealer
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** A credential to be created: either a secret or a public key. Instants are whole seconds since the epoch. */
export interface NewCredential {
  /** 1 to 256 characters without control characters. */
  readonly id: string
  readonly secret?: Uint8Array
  /** Public key as PEM. */
  readonly key?: string
  readonly algorithm?: string
  /** The only scheme it serves. Default: any. */
  readonly scheme?: string
  readonly rights?: readonly string[]
  readonly owner?: string
  readonly notBeforeAt?: number
  /** Valid through this instant. */
  readonly expiresAt?: number
}

/** What `rotate` takes. */
export interface Rotation {
  readonly secret: Uint8Array
  /** How long the older versions stay valid, in seconds; 0 ends them with the present second. At most ten years. */
  readonly overlapSeconds: number
}

/** Credentials in a database. What is acknowledged is committed. Every failure rejects with `CountersignError`. */
export interface SqlCredentials extends CredentialStore {
  create(input: NewCredential): Promise<CredentialRecord>
  list(): Promise<readonly CredentialRecord[]>
  show(id: string): Promise<CredentialRecord | undefined>
  rotate(id: string, rotation: Rotation): Promise<CredentialRecord>
  /** Switches a credential off for good. False where there is none; true as often as it is called otherwise. */
  revoke(id: string): Promise<boolean>
}

/** Credentials in a database, their secrets sealed. */
export function sqlCredentials(_options: SqlCredentialsOptions): SqlCredentials {
  throw new CountersignError('store-failed', 'not here yet')
}
