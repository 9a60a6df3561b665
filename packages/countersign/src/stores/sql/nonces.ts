import type { Kysely } from 'kysely'
import type { Clock } from '../../clock/clock.ts'
import { CountersignError } from '../../reasons/error.ts'
import type { NonceStore } from '../../replay/nonce-store.ts'
import type { SqlTables } from './tables.ts'

/** What `sqlNonces` takes. */
export interface SqlNoncesOptions {
  /** Migrated with `migrateSql`. */
  readonly db: Kysely<SqlTables>
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** Replay tokens in a database. */
export function sqlNonces(_options: SqlNoncesOptions): NonceStore {
  throw new CountersignError('store-failed', 'not here yet')
}
