import { type Refusal, refuse } from '../reasons/reasons.ts'
import type { KnownCredential, KnownSecret } from './known.ts'

/** Refuses a credential that is switched off, not valid yet or past its end; `now` in whole seconds since the epoch. */
export function checkAlive(credential: KnownCredential, now: number): Refusal | undefined {
  if (credential.active === false) return refuse('credential-inactive', 'the credential is not active')
  if (credential.notBeforeAt !== undefined && now < credential.notBeforeAt) {
    return refuse('credential-inactive', 'the credential is not valid yet')
  }
  if (credential.expiresAt !== undefined && now > credential.expiresAt) {
    return refuse('credential-expired', 'the credential is past its end')
  }
  return undefined
}

/** Tells whether one version of a secret may be used at `now`. */
export function isSecretAlive(secret: KnownSecret, now: number): boolean {
  return (
    (secret.notBeforeAt === undefined || now >= secret.notBeforeAt) &&
    (secret.expiresAt === undefined || now <= secret.expiresAt)
  )
}
