import { closeSync, lstatSync, mkdirSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Clock, CountersignError, sealer } from 'countersign'
import { migrateSql, type SqlCredentials, type SqlTables, sqlCredentials } from 'countersign/stores/sql'
import { Kysely, SqliteDialect } from 'kysely'
import Database from 'libsql'
import { masterKey } from './master-key.ts'

/** Name of the database file in the data directory. */
export const databaseFile = 'countersign.sqlite'

const openingBusyTimeoutMs = 5000

/** Where the credentials are. */
export interface DatabasePlace {
  /** Made with mode 0700 on first start. */
  readonly dataDir: string
  /** Read for the master key. Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /**
   * How long a write waits for another process once the database is open, in milliseconds; it blocks this process meanwhile.
   * Default 5000. Opening waits 5000: several processes may start at once.
   */
  readonly busyTimeoutMs?: number
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** An open credential database. */
export interface CredentialDatabase {
  readonly credentials: SqlCredentials
  readonly db: Kysely<SqlTables>
  /** Path of the database file. */
  readonly path: string
  /** Changes whenever another connection, of this process or another, has committed. Throws where the file cannot be read. */
  version(): number
  close(): Promise<void>
}

/**
 * Opens the credentials of a data directory and makes what is missing: directory, key file, database, tables.
 * @throws CountersignError `store-failed` or `key-invalid` that names the file and what is wrong with it.
 */
export async function openCredentialDatabase(place: DatabasePlace): Promise<CredentialDatabase> {
  const dataDir = resolve(place.dataDir)
  const path = join(dataDir, databaseFile)
  const exists = makeDataDir(dataDir, path)
  const key = masterKey({ dataDir, env: place.env ?? process.env, mayCreate: !exists })
  let sqlite: Database.Database
  try {
    // Made here first, so that the file and those that SQLite puts beside it are never readable by others.
    closeSync(openSync(path, 'a+', 0o600))
    sqlite = new Database(path)
  } catch (cause) {
    throw unusable(path, cause)
  }
  try {
    sqlite.pragma(`busy_timeout = ${openingBusyTimeoutMs}`)
    sqlite.pragma('journal_mode = WAL')
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    // A file that can only be read would open, and fail later, with the first key that is to be revoked.
    sqlite.exec('BEGIN IMMEDIATE')
    sqlite.exec('ROLLBACK')
  } catch (cause) {
    sqlite.close()
    throw unusable(path, cause)
  }
  const db = new Kysely<SqlTables>({ dialect: new SqliteDialect({ database: sqlite }) })
  try {
    await migrateSql(db)
  } catch (cause) {
    await db.destroy()
    throw cause instanceof CountersignError ? cause : unusable(path, cause)
  }
  sqlite.pragma(`busy_timeout = ${place.busyTimeoutMs ?? openingBusyTimeoutMs}`)
  const credentials = sqlCredentials({
    db,
    sealer: sealer(key),
    ...(place.clock === undefined ? {} : { clock: place.clock }),
  })
  const versionQuery = sqlite.prepare('PRAGMA data_version')
  return {
    credentials,
    db,
    path,
    version() {
      const row: unknown = versionQuery.all()[0]
      if (typeof row === 'object' && row !== null && 'data_version' in row) return Number(row.data_version)
      throw new CountersignError('store-failed', `${path}: the version of the database cannot be read`)
    },
    close: () => db.destroy(),
  }
}

/** Makes the data directory; tells whether the database is there already. */
function makeDataDir(dataDir: string, path: string): boolean {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (cause) {
    throw new CountersignError(
      'store-failed',
      `${dataDir}: the data directory cannot be used${codeOf(cause)}`,
      {
        cause,
      },
    )
  }
}

function unusable(path: string, cause: unknown): CountersignError {
  return new CountersignError(
    'store-failed',
    `${path}: the credential database cannot be used${codeOf(cause)}`,
    {
      cause,
    },
  )
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  const code =
    'code' in cause && typeof cause.code === 'string' && cause.code !== '' ? cause.code : cause.message
  return ` (${code})`
}
