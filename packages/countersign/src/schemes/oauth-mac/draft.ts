import type { Patch } from '../../message/patch.ts'
import { CountersignError } from '../../reasons/error.ts'
import { ask, type Steps } from '../../steps/steps.ts'
import type { Draft, DraftInput } from '../scheme.ts'
import type { OauthMacClaim } from './claim.ts'
import { isPlain, type Settings } from './options.ts'
import { claimOf } from './read.ts'

/** Bytes of a nonce: 22 characters, and for the original the 8 that its own client makes. */
const nonceBytes = { 'draft-01': 16, 'django-auth-mac': 6 } as const

/** Decides what to sign: the time, a fresh nonce, `ext`. Draft-01 section 3.1. */
export function* draftSignature(input: DraftInput, settings: Settings): Steps<Draft<OauthMacClaim>> {
  const { message, keyId, now } = input
  if (message.kind !== 'request') {
    throw new CountersignError('component-unavailable', 'oauth-mac signs requests; a response was given')
  }
  if (keyId === '' || keyId.length > 256 || !isPlain(keyId)) {
    throw new CountersignError(
      'config-invalid',
      'credential id: oauth-mac needs 1 to 256 characters of printable ASCII without quotes and backslashes',
    )
  }
  const ext = (typeof settings.ext === 'function' ? settings.ext(message) : settings.ext) ?? ''
  if (!isPlain(ext) || ext.length > 4096) {
    throw new CountersignError(
      'config-invalid',
      'oauthMac ext: expected printable ASCII without quotes and backslashes, at most 4096 characters',
    )
  }
  const nonce = yield* ask({ kind: 'random', byteLength: nonceBytes[settings.profile] })
  const parameters = { id: keyId, ts: String(now), nonce, ext, mac: '' }
  // An `ext` that is sent is signed: leaving it out is what old clients do, never we.
  const claim = claimOf({ parameters, settings, timestamp: now, createdAt: now, warnings: [] })
  return { claim: { ...claim, signedExt: ext }, message, set: [] }
}

/** Gives the Authorization field, its parameters in the order of the draft's examples or of the original's client. */
export function writeSignature(
  { claim, set }: Draft<OauthMacClaim>,
  signature: string,
  { profile }: Settings,
): Patch {
  const id = `id="${claim.keyId}"`
  const ts = `ts="${claim.ts}"`
  const nonce = `nonce="${claim.sentNonce}"`
  const ext = claim.ext === '' ? [] : [`ext="${claim.ext}"`]
  const mac = `mac="${signature}"`
  const parameters = profile === 'draft-01' ? [id, ts, nonce, ...ext, mac] : [nonce, ...ext, mac, id, ts]
  return { set: [...set, ['Authorization', `MAC ${parameters.join(', ')}`]] }
}
