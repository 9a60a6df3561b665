import type { Kysely } from 'kysely'
import { type Clock, systemClock } from '../../clock/clock.ts'
import type { Credential } from '../../credentials/credential.ts'
import type { CredentialStore } from '../../credentials/store.ts'
import type { Sealer } from '../../keys/seal.ts'
import { CountersignError } from '../../reasons/error.ts'
import { onDatabase } from './failure.ts'
import { checkNewCredential, checkSecret, isStorable, type NewCredential } from './new-credential.ts'
import type { CredentialRecord, SecretVersion } from './record.ts'
import { type BareRow, credentialFrom, openRow, type Row, recordFrom, sealRow, versionsText } from './row.ts'
import type { SqlTables } from './tables.ts'

/** What `sqlCredentials` takes. */
export interface SqlCredentialsOptions {
  /** Migrated with `migrateSql`. */
  readonly db: Kysely<SqlTables>
  readonly sealer: Sealer
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** What `rotate` takes. */
export interface Rotation {
  readonly secret: Uint8Array
  /** How long the older versions stay valid, in seconds; 0 ends them with the present second. At most ten years. */
  readonly overlapSeconds: number
}

/** Credentials in a database. What is acknowledged is committed. Every failure rejects with `CountersignError`. */
export interface SqlCredentials extends CredentialStore {
  /** Gives `undefined` for an unknown id or another scheme than the credential's own. Rejects where the row was tampered with. */
  find(keyId: string, scheme: string): Promise<Credential | undefined>
  /** @throws CountersignError `store-failed` where the id is taken; `config-invalid`, `key-invalid`, `key-weak` for bad input. */
  create(input: NewCredential): Promise<CredentialRecord>
  /** Gives every credential, by id. */
  list(): Promise<readonly CredentialRecord[]>
  show(id: string): Promise<CredentialRecord | undefined>
  /**
   * Makes a new secret live at once and lets the older ones end after the overlap; those past their end are erased.
   * @throws CountersignError `store-failed` where there is no such credential, it is revoked, has a key instead of secrets,
   * or has eight live versions already.
   */
  rotate(id: string, rotation: Rotation): Promise<CredentialRecord>
  /** Switches a credential off for good. False where there is none; true as often as it is called otherwise. */
  revoke(id: string): Promise<boolean>
}

// Each live version costs a forger's request one MAC.
const maxVersions = 8
const maxOverlapSeconds = 315_360_000
// Two writers that meet on one row: each turn one of them gets through.
const maxTurns = 32
const decoySecret = new Uint8Array(32)

/**
 * Keeps credentials in a database, secrets sealed and bound to every other column of their row. Not detected: a whole
 * row put back as it was earlier. Ids are compared exactly, whatever the database's collation.
 */
export function sqlCredentials(options: SqlCredentialsOptions): SqlCredentials {
  const { db, sealer, clock = systemClock } = options

  let decoy: Promise<Row> | undefined
  /** Opened where there is no row: an unknown id takes as long as a known one, so the clock does not tell which keys exist. */
  function decoyRow(): Promise<Row> {
    decoy ??= sealRow(newRow({ id: 'nobody', secret: decoySecret }, 0), [decoySecret], sealer)
    return decoy
  }

  async function read(id: string): Promise<Row | undefined> {
    if (!isStorable(id)) return undefined
    const row = await db
      .selectFrom('countersign_credentials')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    // MySQL's default collation finds `K1` and `k1 ` for `k1`.
    return row?.id === id ? row : undefined
  }

  async function recordOf(row: Row): Promise<CredentialRecord> {
    const intact = await openRow(row, sealer).then(
      () => true,
      () => false,
    )
    return recordFrom(row, intact)
  }

  /** Writes a row in place of the one it was made from; false where another writer was faster. */
  async function replace(before: Row, after: Partial<Row>): Promise<boolean> {
    const result = await db
      .updateTable('countersign_credentials')
      .set(after)
      .where('id', '=', before.id)
      .where('revision', '=', before.revision)
      .executeTakeFirst()
    return result.numUpdatedRows === 1n
  }

  /** Changes a row as it is now; where another writer came between, the row it has become. `undefined` where there is none. */
  async function change(id: string, next: (row: Row) => Promise<Row>): Promise<Row | undefined> {
    for (let turn = 0; turn < maxTurns; turn++) {
      const before = await read(id)
      if (before === undefined) return undefined
      const after = await next(before)
      if (after === before || (await replace(before, after))) return after
    }
    throw new CountersignError(
      'store-failed',
      `credential ${JSON.stringify(id)} is changed by too many at once`,
    )
  }

  return {
    find: (keyId, scheme) =>
      onDatabase('finding a credential', async () => {
        const row = await read(keyId)
        const secrets = await openRow(row ?? (await decoyRow()), sealer)
        if (row === undefined) return undefined
        return row.scheme === null || row.scheme === scheme ? credentialFrom(row, secrets) : undefined
      }),

    create: (input) =>
      onDatabase('creating a credential', async () => {
        checkNewCredential(input)
        const secrets = input.secret === undefined ? [] : [input.secret]
        const row = await sealRow(newRow(input, clock()), secrets, sealer)
        try {
          await db.insertInto('countersign_credentials').values(row).execute()
        } catch (cause) {
          if ((await read(input.id)) === undefined) throw cause
          throw new CountersignError(
            'store-failed',
            `a credential ${JSON.stringify(input.id)} exists already`,
            {
              cause,
            },
          )
        }
        return recordFrom(row, true)
      }),

    list: () =>
      onDatabase('listing credentials', async () => {
        const rows = await db.selectFrom('countersign_credentials').selectAll().orderBy('id').execute()
        return Promise.all(rows.map(recordOf))
      }),

    show: (id) =>
      onDatabase('showing a credential', async () => {
        const row = await read(id)
        return row === undefined ? undefined : recordOf(row)
      }),

    rotate: (id, rotation) =>
      onDatabase('rotating a credential', async () => {
        checkRotation(rotation)
        const after = await change(id, async (row) => {
          const secrets = await openRow(row, sealer)
          const rotated = rotatedRow(row, secrets, { ...rotation, now: clock() })
          return sealRow(rotated.row, rotated.secrets, sealer)
        })
        if (after === undefined)
          throw new CountersignError('store-failed', `no credential ${JSON.stringify(id)}`)
        return recordFrom(after, true)
      }),

    revoke: (id) =>
      onDatabase('revoking a credential', async () => {
        const after = await change(id, async (row) => {
          if (Number(row.active) === 0) return row
          const revoked = { ...row, revision: Number(row.revision) + 1, active: 0, revoked_at: clock() }
          // A row that does not open can be switched off all the same; it stays one that `find` refuses.
          const secrets = await openRow(row, sealer).catch(() => undefined)
          return secrets === undefined ? revoked : sealRow(revoked, secrets, sealer)
        })
        return after !== undefined
      }),
  }
}

function newRow(input: NewCredential, now: number): BareRow {
  const first: SecretVersion = { version: 1, createdAt: now, notBeforeAt: undefined, expiresAt: undefined }
  return {
    id: input.id,
    revision: 1,
    kind: input.key === undefined ? 'secret' : 'key',
    scheme: input.scheme ?? null,
    algorithm: input.algorithm ?? null,
    rights: JSON.stringify(input.rights ?? []),
    owner: input.owner ?? null,
    active: 1,
    created_at: now,
    not_before_at: input.notBeforeAt ?? null,
    expires_at: input.expiresAt ?? null,
    revoked_at: null,
    public_key: input.key ?? null,
    versions: versionsText(input.key === undefined ? [first] : []),
  }
}

function rotatedRow(
  row: Row,
  secrets: readonly Uint8Array[],
  rotation: Rotation & { readonly now: number },
): { readonly row: BareRow; readonly secrets: readonly Uint8Array[] } {
  const { now } = rotation
  const record = recordFrom(row, true)
  const endsAt = now + rotation.overlapSeconds
  const kept = record.versions
    .map((version, i) => ({ version, secret: secrets[i] ?? new Uint8Array() }))
    .filter(({ version }) => version.expiresAt === undefined || version.expiresAt >= now)
  const problem = record.active
    ? record.kind === 'key'
      ? 'has a public key and no secret: create another credential for the new key'
      : kept.length >= maxVersions
        ? `has ${maxVersions} live secrets already: wait until one has ended`
        : undefined
    : 'is revoked'
  if (problem !== undefined) {
    throw new CountersignError('store-failed', `credential ${JSON.stringify(row.id)} ${problem}`)
  }
  const version = 1 + Math.max(...record.versions.map((one) => one.version))
  const versions = [
    ...kept.map(({ version: one }) => ({ ...one, expiresAt: Math.min(one.expiresAt ?? endsAt, endsAt) })),
    { version, createdAt: now, notBeforeAt: undefined, expiresAt: undefined },
  ]
  return {
    row: { ...row, revision: Number(row.revision) + 1, versions: versionsText(versions) },
    secrets: [...kept.map(({ secret }) => secret), rotation.secret],
  }
}

function checkRotation({ secret, overlapSeconds }: Rotation): void {
  checkSecret(secret)
  if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > maxOverlapSeconds) {
    throw new CountersignError(
      'config-invalid',
      `overlapSeconds: expected 0 to ${maxOverlapSeconds}, got ${overlapSeconds}`,
    )
  }
}
