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

// By identity of what the store gave: one import per credential object, dropped with it.
const known = new WeakMap<Credential, KnownCredential>()

/**
 * Makes a credential ready, once per object.
 * @throws CountersignError `key-invalid` or `key-weak` where it has neither a secret nor a key, or both, or an unusable one.
 */
export function knowCredential(credential: Credential): KnownCredential {
  const before = known.get(credential)
  if (before !== undefined) return before
  const made = make(credential)
  known.set(credential, made)
  known.set(made, made)
  return made
}

function make(credential: Credential): KnownCredential {
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
