import { concatBytes } from '../../bytes/concat.ts'
import type { Credential } from '../../credentials/credential.ts'
import type { Sealer } from '../../keys/seal.ts'
import { secretFrom } from '../../keys/secret.ts'
import { CountersignError } from '../../reasons/error.ts'
import type { CredentialRecord, SecretVersion } from './record.ts'
import type { CredentialTable } from './tables.ts'

/** A row before its secrets are sealed. */
export type BareRow = Readonly<Omit<CredentialTable, 'sealed'>>

/** A row as it is in the database. */
export type Row = Readonly<CredentialTable>

/** Seals secrets, one for each version, under all other columns: no column can be changed or moved to another row unseen. */
export async function sealRow(row: BareRow, secrets: readonly Uint8Array[], sealer: Sealer): Promise<Row> {
  return { ...row, sealed: await sealer.seal(pack(secrets), contextOf(row)) }
}

/**
 * Gives the secrets of a row, one for each version.
 * @throws CountersignError `key-invalid` where the row was changed by other hands or sealed under another key.
 */
export async function openRow(row: Row, sealer: Sealer): Promise<readonly Uint8Array[]> {
  let packed: Uint8Array
  try {
    packed = await sealer.open(row.sealed, contextOf(row))
  } catch (cause) {
    const why = cause instanceof CountersignError ? cause.message : 'it does not open'
    throw new CountersignError('key-invalid', `credential ${JSON.stringify(row.id)}: ${why}`, { cause })
  }
  return unpack(packed)
}

/** Gives a credential for judgement from a row and its secrets. */
export function credentialFrom(row: Row, secrets: readonly Uint8Array[]): Credential {
  const record = recordFrom(row, true)
  return Object.freeze({
    id: record.id,
    ...(row.public_key === null
      ? { secrets: Object.freeze(record.versions.map((version, i) => versionWith(version, secrets[i]))) }
      : { key: row.public_key }),
    ...optional('algorithm', record.algorithm),
    rights: record.rights,
    ...optional('owner', record.owner),
    active: record.active,
    ...optional('notBeforeAt', record.notBeforeAt),
    ...optional('expiresAt', record.expiresAt),
  })
}

/** Gives what may be shown of a row. Never throws: a row that was tampered with has to be listed too. */
export function recordFrom(row: Row, intact: boolean): CredentialRecord {
  return Object.freeze({
    id: row.id,
    scheme: row.scheme ?? undefined,
    algorithm: row.algorithm ?? undefined,
    kind: row.kind === 'key' ? 'key' : 'secret',
    rights: Object.freeze(listFrom(row.rights).filter((right) => typeof right === 'string')),
    owner: row.owner ?? undefined,
    active: Number(row.active) === 1,
    createdAt: Number(row.created_at),
    notBeforeAt: instantFrom(row.not_before_at),
    expiresAt: instantFrom(row.expires_at),
    revokedAt: instantFrom(row.revoked_at),
    versions: Object.freeze(listFrom(row.versions).map(versionFrom)),
    intact,
  })
}

/** Writes versions as the column holds them. */
export function versionsText(versions: readonly SecretVersion[]): string {
  return JSON.stringify(
    versions.map((one) => [one.version, one.createdAt, one.notBeforeAt ?? null, one.expiresAt ?? null]),
  )
}

function versionFrom(value: unknown): SecretVersion {
  const [version, createdAt, notBeforeAt, expiresAt] = Array.isArray(value) ? value : []
  return Object.freeze({
    version: Number(version),
    createdAt: Number(createdAt),
    notBeforeAt: instantFrom(notBeforeAt),
    expiresAt: instantFrom(expiresAt),
  })
}

function versionWith(
  version: SecretVersion,
  bytes: Uint8Array | undefined,
): NonNullable<Credential['secrets']>[number] {
  // A row without a secret for each version is none that this code sealed.
  if (bytes === undefined)
    throw new CountersignError('key-invalid', `version ${version.version} has no secret`)
  return Object.freeze({
    secret: secretFrom.bytes(bytes),
    version: version.version,
    ...optional('notBeforeAt', version.notBeforeAt),
    ...optional('expiresAt', version.expiresAt),
  })
}

/** In the order of this list, for ever: it is what sealed rows are bound to. `null` and text must differ, hence the mark. */
function contextOf(row: BareRow): readonly string[] {
  const columns = [
    row.id,
    row.revision,
    row.kind,
    row.scheme,
    row.algorithm,
    row.rights,
    row.owner,
    row.active,
    row.created_at,
    row.not_before_at,
    row.expires_at,
    row.revoked_at,
    row.public_key,
    row.versions,
  ]
  return ['credential row v1', ...columns.map((value) => (value === null ? 'null' : `=${value}`))]
}

function pack(secrets: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    secrets.flatMap((secret) => {
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, secret.length)
      return [length, secret]
    }),
  )
}

function unpack(packed: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const secrets: Uint8Array[] = []
  let at = 0
  while (at < packed.length) {
    const length = view.getUint32(at)
    secrets.push(packed.slice(at + 4, at + 4 + length))
    at += 4 + length
  }
  return secrets
}

function listFrom(text: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list : []
  } catch {
    return []
  }
}

function instantFrom(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in K]: V }) // a computed key loses its type
}
