import type { CredentialRecord } from 'countersign/stores/sql'
import { instantText } from '../../duration.ts'
import { facts, printable } from '../../output.ts'

/** Writes what may be shown of a credential, for people. */
export function keyText(record: CredentialRecord, now: number): string {
  const live = record.versions.filter(({ expiresAt }) => expiresAt === undefined || expiresAt >= now)
  return facts([
    ['id', printable(record.id)],
    ['state', keyState(record, now)],
    ['kind', record.kind === 'key' ? 'public key' : 'shared secret'],
    ['scheme', record.scheme ?? 'any'],
    ['algorithm', record.algorithm],
    ['owner', record.owner === undefined ? undefined : printable(record.owner)],
    ['rights', record.rights.length === 0 ? 'none' : printable(record.rights.join(', '))],
    ['created', instantText(record.createdAt)],
    ['valid from', optionalInstant(record.notBeforeAt)],
    ['expires', optionalInstant(record.expiresAt)],
    ['revoked', optionalInstant(record.revokedAt)],
    ...live.map(({ version, createdAt, expiresAt }) => {
      const end = expiresAt === undefined ? '' : `, valid until ${instantText(expiresAt)}`
      return [`secret ${version}`, `created ${instantText(createdAt)}${end}`] as const
    }),
  ])
}

/** Says in one word whether a credential can be used now. */
export function keyState(record: CredentialRecord, now: number): string {
  if (!record.intact) return 'unreadable'
  if (record.revokedAt !== undefined) return 'revoked'
  if (!record.active) return 'inactive'
  if (record.expiresAt !== undefined && record.expiresAt < now) return 'expired'
  if (record.notBeforeAt !== undefined && record.notBeforeAt > now) return 'not yet valid'
  return 'active'
}

/** Gives what may be shown of a credential, for programs. Absent values are `null`, so that every record has every member. */
export function keyJson(record: CredentialRecord, now: number): Readonly<Record<string, unknown>> {
  return {
    id: record.id,
    state: keyState(record, now),
    kind: record.kind,
    scheme: record.scheme ?? null,
    algorithm: record.algorithm ?? null,
    owner: record.owner ?? null,
    rights: record.rights,
    createdAt: record.createdAt,
    notBeforeAt: record.notBeforeAt ?? null,
    expiresAt: record.expiresAt ?? null,
    revokedAt: record.revokedAt ?? null,
    versions: record.versions.map(({ version, createdAt, notBeforeAt, expiresAt }) => ({
      version,
      createdAt,
      notBeforeAt: notBeforeAt ?? null,
      expiresAt: expiresAt ?? null,
    })),
  }
}

function optionalInstant(at: number | undefined): string | undefined {
  return at === undefined ? undefined : instantText(at)
}
