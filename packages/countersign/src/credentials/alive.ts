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
  if (credential.identifiedKey === undefined && aliveSecrets(credential, now).length === 0) {
    return refuse('credential-expired', 'every secret of the credential is past its end')
  }
  return undefined
}

/** Gives the secrets that may be used at `now`, newest first: most callers sign with the newest. */
export function aliveSecrets({ secrets }: KnownCredential, now: number): readonly KnownSecret[] {
  const only = secrets[0]
  if (secrets.length === 1 && only !== undefined && isAlive(only, now)) return secrets
  return secrets.filter((secret) => isAlive(secret, now)).reverse()
}

function isAlive(secret: KnownSecret, now: number): boolean {
  return (
    (secret.notBeforeAt === undefined || now >= secret.notBeforeAt) &&
    (secret.expiresAt === undefined || now <= secret.expiresAt)
  )
}
