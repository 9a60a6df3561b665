import type { Kysely, Transaction } from 'kysely'
import { CountersignError } from '../../reasons/error.ts'
import { onDatabase } from './failure.ts'
import type { SqlTables } from './tables.ts'

type Step = (transaction: Transaction<SqlTables>) => Promise<void>

// Step n brings version n to n + 1. A step that was released is never edited: databases exist that went through it.
// `ifNotExists` throughout: where DDL commits on its own (MySQL), a migration cut off halfway has to be able to run again.
const steps: readonly Step[] = [createTables]

/**
 * Creates the tables or upgrades them, in one transaction. Safe to call from several processes at once, at every start.
 * On SQLite set `busy_timeout` first, or the one that comes second fails instead of waiting.
 * @throws CountersignError `store-failed` where the database is newer than this code, naming both versions.
 */
export function migrateSql(db: Kysely<SqlTables>): Promise<void> {
  return onDatabase('migrating', async () => {
    await createSchemaTable(db)
    await db.transaction().execute(async (transaction) => {
      // A write before the first read: SQLite and PostgreSQL make a second process wait here, not fail later.
      await transaction.updateTable('countersign_schema').set({ id: 1 }).where('id', '=', 1).execute()
      const version = await versionOf(transaction)
      if (version > steps.length) {
        throw new CountersignError(
          'store-failed',
          `the database has schema version ${version}; this countersign knows versions up to ${steps.length}: upgrade it`,
        )
      }
      for (const step of steps.slice(version)) await step(transaction)
      if (version < steps.length) {
        await transaction
          .updateTable('countersign_schema')
          .set({ version: steps.length })
          .where('id', '=', 1)
          .execute()
      }
    })
  })
}

async function createSchemaTable(db: Kysely<SqlTables>): Promise<void> {
  // PostgreSQL fails in spite of `ifNotExists` where two create one table at once.
  await unlessFaster(
    () =>
      db.schema
        .createTable('countersign_schema')
        .ifNotExists()
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('version', 'integer', (column) => column.notNull())
        .execute(),
    async () => [await schemaRow(db)],
  )
  if ((await schemaRow(db)) !== undefined) return
  await unlessFaster(
    () => db.insertInto('countersign_schema').values({ id: 1, version: 0 }).execute(),
    () => schemaRow(db),
  )
}

/** Takes a step that fails where another process was faster: what can be read afterwards tells that from a real failure. */
async function unlessFaster(step: () => Promise<unknown>, made: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (cause) {
    const there = await made().catch(() => undefined)
    if (there === undefined) throw cause
  }
}

async function createTables(transaction: Transaction<SqlTables>): Promise<void> {
  await transaction.schema
    .createTable('countersign_credentials')
    .ifNotExists()
    .addColumn('id', 'varchar(256)', (column) => column.primaryKey())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'varchar(16)', (column) => column.notNull())
    .addColumn('scheme', 'varchar(256)')
    .addColumn('algorithm', 'varchar(256)')
    .addColumn('rights', 'text', (column) => column.notNull())
    .addColumn('owner', 'varchar(256)')
    .addColumn('active', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('not_before_at', 'bigint')
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addColumn('public_key', 'text')
    .addColumn('versions', 'text', (column) => column.notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .execute()
  await transaction.schema
    .createTable('countersign_nonces')
    .ifNotExists()
    .addColumn('token', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    // An index for purging, said in the one way that every database takes together with its table.
    .addUniqueConstraint('countersign_nonces_by_end', ['expires_at', 'token'])
    .execute()
  await transaction.schema
    .createTable('countersign_forgotten')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('through_at', 'bigint', (column) => column.notNull())
    .execute()
  const forgotten = () =>
    transaction.selectFrom('countersign_forgotten').select('id').where('id', '=', 1).executeTakeFirst()
  if ((await forgotten()) !== undefined) return
  await unlessFaster(
    () => transaction.insertInto('countersign_forgotten').values({ id: 1, through_at: 0 }).execute(),
    forgotten,
  )
}

function schemaRow(db: Kysely<SqlTables>): Promise<{ version: number } | undefined> {
  return db.selectFrom('countersign_schema').select('version').where('id', '=', 1).executeTakeFirst()
}

async function versionOf(db: Kysely<SqlTables>): Promise<number> {
  return Number((await schemaRow(db))?.version ?? 0)
}
