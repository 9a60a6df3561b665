import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import Database from 'libsql'
import type { SqlTables } from '../packages/countersign/src/stores/sql/sql.ts'

// Required, not imported: its 300 modules cost each process half a second under a loader, and drills start hundreds.
const kysely: typeof import('kysely') = createRequire(import.meta.url)('kysely')

/** An open SQLite file: through Kysely, and the connection itself. */
export interface SqliteFile {
  readonly db: Kysely<SqlTables>
  readonly connection: Database.Database
}

/** Opens a SQLite file as the gateway does: WAL, `synchronous=FULL`, waiting for other writers. For tests and drills. */
export function openSqlite(path: string, timeoutMs = 5000): SqliteFile {
  const connection = new Database(path, { timeout: timeoutMs })
  connection.exec('PRAGMA journal_mode=WAL')
  connection.exec('PRAGMA synchronous=FULL')
  const dialect = new kysely.SqliteDialect({ database: connection })
  return { connection, db: new kysely.Kysely<SqlTables>({ dialect }) }
}

/** Makes a directory that is there for one test or drill. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'countersign-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
