import type { Scheme, SchemeTraits } from '../scheme.ts'
import { signatureBase } from './base.ts'
import { challengeFields } from './challenge.ts'
import { type OauthMacClaim, schemeName } from './claim.ts'
import { draftSignature, writeSignature } from './draft.ts'
import { type OauthMacOptions, type Settings, settingsFrom } from './options.ts'
import { readClaim } from './read.ts'

/**
 * HTTP MAC of OAuth 2, `Authorization: MAC id="...", ts="...", nonce="...", mac="..."`: draft-ietf-oauth-v2-http-mac-01, and as the
 * profile `django-auth-mac` what the package auth_mac 0.1.2 for Django makes of it. A credential says `hmac-sha256` or `hmac-sha1`;
 * one that says neither gets the first in draft-01 and the second in the profile. Draft 00 (an age in the nonce, `bodyhash`) is refused:
 * its age counts from the issue of a credential, which a verifier does not know, so nothing would bound it.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function oauthMac(options: OauthMacOptions = {}): Scheme<OauthMacClaim> {
  const settings = settingsFrom(options)
  return {
    name: schemeName,
    traits: traitsOf(settings),
    algorithms: settings.profile === 'draft-01' ? ['hmac-sha256', 'hmac-sha1'] : ['hmac-sha1', 'hmac-sha256'],
    encoding: 'base64',
    read: (message) => readClaim(message, settings),
    base: (message, claim) => signatureBase(message, claim, settings),
    draft: (input) => draftSignature(input, settings),
    write: (draft, signature) => writeSignature(draft, signature, settings),
    challenge: (_required, reason) => challengeFields(reason),
  }
}

function traitsOf({ profile, compatible, rememberSeconds }: Settings): SchemeTraits {
  const uncovered = ['content', 'header fields', 'connection scheme']
  if (profile === 'django-auth-mac')
    uncovered.push('query', 'port of Host', 'spelling of escapes in the path')
  if (compatible.has('unsigned-ext')) uncovered.push('ext')
  const anyTime = compatible.has('any-time')
  return {
    time: !anyTime,
    nonce: true,
    chosenCoverage: false,
    bodyInBase: false,
    uncovered,
    ...(anyTime ? { rememberSeconds } : {}),
  }
}
