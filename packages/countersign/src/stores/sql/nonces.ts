import type { Kysely } from 'kysely'
import { hexEncode } from '../../bytes/hex.ts'
import { utf8Encode } from '../../bytes/utf8.ts'
import { type Clock, systemClock } from '../../clock/clock.ts'
import { CountersignError } from '../../reasons/error.ts'
import type { NonceStore } from '../../replay/nonce-store.ts'
import { onDatabase } from './failure.ts'
import type { SqlTables } from './tables.ts'

/** What `sqlNonces` takes. */
export interface SqlNoncesOptions {
  /** Migrated with `migrateSql`. */
  readonly db: Kysely<SqlTables>
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

// Kept this long past their end, so that a node whose clock is ahead does not forget for one whose clock is right.
const keptSeconds = 60
// A purge every 64 tokens takes up to 256, so the table shrinks while it is in use; each statement stays short.
const recordsPerPurge = 64
const purgeLimit = 256

/**
 * Remembers replay tokens in a database, for all processes that share it. The primary key decides between concurrent calls.
 * Where a token comes so late that it may have been forgotten already (a clock set back), it throws instead of guessing.
 */
export function sqlNonces(options: SqlNoncesOptions): NonceStore {
  const { db, clock = systemClock } = options
  let untilPurge = 0

  async function forgottenThrough(): Promise<number> {
    const row = await db
      .selectFrom('countersign_forgotten')
      .select('through_at')
      .where('id', '=', 1)
      .executeTakeFirst()
    if (row === undefined) throw new CountersignError('store-failed', 'the nonce tables are not migrated')
    return Number(row.through_at)
  }

  async function purge(now: number): Promise<void> {
    const rows = await db
      .selectFrom('countersign_nonces')
      .select(['token', 'expires_at'])
      .where('expires_at', '<', now - keptSeconds)
      .orderBy('expires_at')
      .limit(purgeLimit)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    // Raised before the rows go: whoever misses a row afterwards is bound to see this.
    await db
      .updateTable('countersign_forgotten')
      .set({ through_at: Number(last.expires_at) })
      .where('id', '=', 1)
      .where('through_at', '<', Number(last.expires_at))
      .execute()
    await db
      .deleteFrom('countersign_nonces')
      .where(
        'token',
        'in',
        rows.map((row) => row.token),
      )
      .where('expires_at', '<=', Number(last.expires_at))
      .execute()
  }

  /** Gives true where the token was not there, or so long past its end that it counts as forgotten. */
  async function insert(token: string, wantedAt: number, now: number): Promise<boolean> {
    const endsAt = Math.max(wantedAt, now)
    try {
      await db.insertInto('countersign_nonces').values({ token, expires_at: endsAt }).execute()
      return true
    } catch (cause) {
      const row = await db
        .selectFrom('countersign_nonces')
        .select('expires_at')
        .where('token', '=', token)
        .executeTakeFirst()
      if (row === undefined) throw cause
      const before = Number(row.expires_at)
      // A token that ends no later than the one there is the same message again, however late.
      if (before >= now - keptSeconds || wantedAt <= before) return false
      const renewed = await db
        .updateTable('countersign_nonces')
        .set({ expires_at: endsAt })
        .where('token', '=', token)
        .where('expires_at', '=', before)
        .executeTakeFirst()
      return renewed.numUpdatedRows === 1n
    }
  }

  return {
    record: (nonce, expiresAt) =>
      onDatabase('recording a nonce', async () => {
        if (!Number.isFinite(expiresAt)) {
          throw new CountersignError('config-invalid', 'expiresAt: expected seconds since the epoch')
        }
        const now = clock()
        if (untilPurge-- <= 0) {
          untilPurge = recordsPerPurge
          await purge(now)
        }
        const wantedAt = Math.ceil(expiresAt)
        if (!(await insert(await hashed(nonce), wantedAt, now))) return 'seen'
        // Read after the insert: a purge that took this token's earlier row has raised it by now.
        if (wantedAt <= (await forgottenThrough())) {
          throw new CountersignError(
            'store-failed',
            'the token is so old that it may have been forgotten: was a clock set back?',
          )
        }
        return 'fresh'
      }),
  }
}

async function hashed(token: string): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', utf8Encode(token).slice())
  return hexEncode(new Uint8Array(digest))
}
