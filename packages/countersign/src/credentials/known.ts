import { type Key, keyFrom } from '../keys/key.ts'
import { Secret, secretFrom } from '../keys/secret.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Credential, CredentialSecret } from './credential.ts'

/** One secret, ready for a backend. */
export interface KnownSecret extends CredentialSecret {
  readonly secret: Secret
}

/** A credential ready for judgement: secrets wrapped, key identified. Frozen; nothing in it prints a secret. */
export interface KnownCredential extends Credential {
  readonly secret?: never
  /** Newest last. Empty where there is a key. */
  readonly secrets: readonly KnownSecret[]
  /** The key with its kind; `undefined` where there are secrets. */
  readonly identifiedKey: Key | undefined
}

interface Taken {
  readonly known: KnownCredential
  /** The fields as they were when it was made, so that a store may change its objects in place. */
  readonly seen: Credential
}

// By identity of what the store gave: a key is imported once for each credential object and dropped with it.
const taken = new WeakMap<Credential, Taken>()

/**
 * Makes a credential ready, once per object as long as its fields stay as they are.
 * @throws CountersignError `key-invalid` or `key-weak` where it has neither a secret nor a key, or both, or an unusable one;
 * `config-invalid` where another field has a value of another type: `active: 0` of a database must not pass for active.
 */
export function knowCredential(credential: Credential): KnownCredential {
  const before = taken.get(credential)
  if (before !== undefined && (before.known === credential || isUnchanged(credential, before.seen)))
    return before.known
  const known = make(credential)
  taken.set(credential, { known, seen: copyOf(credential) })
  taken.set(known, { known, seen: known })
  return known
}

function copyOf(credential: Credential): Credential {
  const { rights, secrets } = credential
  return {
    ...credential,
    ...(rights === undefined ? {} : { rights: [...rights] }),
    ...(secrets === undefined ? {} : { secrets: secrets.map((one) => ({ ...one })) }),
  }
}

function isUnchanged(now: Credential, seen: Credential): boolean {
  return (
    now.active === seen.active &&
    now.secret === seen.secret &&
    now.key === seen.key &&
    now.expiresAt === seen.expiresAt &&
    now.notBeforeAt === seen.notBeforeAt &&
    now.algorithm === seen.algorithm &&
    now.id === seen.id &&
    now.owner === seen.owner &&
    areSame(now.rights, seen.rights, (a, b) => a === b) &&
    areSame(now.secrets, seen.secrets, isSameSecret)
  )
}

function isSameSecret(a: CredentialSecret, b: CredentialSecret): boolean {
  return a.secret === b.secret && a.notBeforeAt === b.notBeforeAt && a.expiresAt === b.expiresAt
}

function areSame<T>(
  a: readonly T[] | undefined,
  b: readonly T[] | undefined,
  same: (a: T, b: T) => boolean,
): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.length !== b.length) return false
  for (const [i, one] of a.entries()) {
    const other = b[i]
    if (other === undefined || !same(one, other)) return false
  }
  return true
}

function make(credential: Credential): KnownCredential {
  checkFields(credential)
  const { secret, secrets, key, ...rest } = credential
  const given: readonly CredentialSecret[] = secrets ?? (secret === undefined ? [] : [{ secret }])
  if (secret !== undefined && secrets !== undefined) {
    throw new CountersignError(
      'key-invalid',
      `credential ${name(credential)}: give secret or secrets, not both`,
    )
  }
  if (given.length > 0 === (key !== undefined)) {
    throw new CountersignError(
      'key-invalid',
      `credential ${name(credential)}: expected a secret or a key, ${key === undefined ? 'got neither' : 'got both'}`,
    )
  }
  return Object.freeze({
    ...rest,
    ...(key === undefined ? {} : { key }),
    rights: Object.freeze([...(credential.rights ?? [])]),
    secrets: Object.freeze(
      given.map((one) => Object.freeze({ ...one, secret: wrap(one.secret, credential) })),
    ),
    identifiedKey: key === undefined ? undefined : keyFrom(key),
  })
}

/** Stores are often fed by databases: what has another type than expected is refused, not read as its truth value. */
function checkFields(credential: Credential): void {
  const { id, active, algorithm, owner, rights } = credential
  if (typeof id !== 'string') throw invalid(credential, 'id', 'text')
  if (active !== undefined && typeof active !== 'boolean')
    throw invalid(credential, 'active', 'true or false')
  for (const [field, value] of Object.entries({ algorithm, owner })) {
    if (value !== undefined && typeof value !== 'string') throw invalid(credential, field, 'text')
  }
  if (
    rights !== undefined &&
    !(Array.isArray(rights) && rights.every((right) => typeof right === 'string'))
  ) {
    throw invalid(credential, 'rights', 'a list of texts')
  }
  for (const { notBeforeAt, expiresAt } of [credential, ...(credential.secrets ?? [])]) {
    for (const [field, value] of Object.entries({ notBeforeAt, expiresAt })) {
      if (value !== undefined && !Number.isFinite(value))
        throw invalid(credential, field, 'seconds since the epoch')
    }
  }
}

function invalid(credential: Credential, field: string, expected: string): CountersignError {
  return new CountersignError(
    'config-invalid',
    `credential ${name(credential)}: ${field}: expected ${expected}`,
  )
}

function wrap(given: string | Secret, credential: Credential): Secret {
  if (typeof given !== 'string' && !(given instanceof Secret)) {
    throw new CountersignError(
      'key-invalid',
      `credential ${name(credential)}: secret: expected text or a Secret`,
    )
  }
  const secret = typeof given === 'string' ? secretFrom.utf8(given) : given
  // The usual cause is a setting that is missing, and under an empty secret anybody can sign.
  if (secret.length === 0) {
    throw new CountersignError('key-weak', `credential ${name(credential)}: the secret is empty`)
  }
  return secret
}

function name(credential: Credential): string {
  return JSON.stringify(String(credential.id).slice(0, 64))
}
