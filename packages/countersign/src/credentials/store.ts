import type { MaybePromise } from '../message/body.ts'
import type { Credential } from './credential.ts'

/** Where credentials are found. An unknown key id gives `undefined`; a failing store throws or rejects, which is answered 503. */
export interface CredentialStore {
  find(keyId: string, scheme: string): MaybePromise<Credential | undefined>
}
