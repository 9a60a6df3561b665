import type { Scheme } from '../scheme.ts'
import { algorithms, flaskAlgorithms } from './algorithm.ts'
import { signingString } from './base.ts'
import { type CavageClaim, schemeName } from './claim.ts'
import { draftSignature, writeSignature } from './draft.ts'
import { minimumOf, timeName } from './lists.ts'
import { namesFor } from './names.ts'
import { type CavageOptions, settingsFrom } from './options.ts'
import { readClaim } from './read.ts'

/**
 * HTTP signatures of draft-cavage-http-signatures 03 to 12, and with `profile: 'flask-cavage'` as Flask-Cavage has them: an
 * `Authorization: Signature` or `Signature` field over named header fields, `Digest` for the content (RFC 3230). The key decides
 * the algorithm; a message may name one of the current ones for a credential that is bound to none. Signs no nonce.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function cavage(options: CavageOptions = {}): Scheme<CavageClaim> {
  const settings = settingsFrom(options)
  const minimum = minimumOf(settings)
  return {
    name: schemeName,
    traits: {
      time: timeName(settings) !== undefined,
      nonce: settings.singleUse,
      chosenCoverage: true,
      ...(minimum === undefined ? {} : { minimum }),
      bodyInBase: false,
      uncovered: settings.isFlask
        ? ['connection scheme', 'nonce', 'content of GET, HEAD and DELETE', 'spelling of escapes in the path']
        : ['connection scheme', 'nonce', 'whatever the signer leaves out, above the minimum'],
    },
    algorithms: settings.isFlask ? flaskAlgorithms : algorithms,
    messageChooses: true,
    encoding: 'base64',
    ecdsaForm: 'der',
    read: (message) => readClaim(message, settings),
    base: (message, claim) => signingString(message, claim, settings),
    draft: (input) => draftSignature(input, settings),
    write: (draft, signature) => writeSignature(draft, signature, settings),
    challenge: (required) => [
      ['WWW-Authenticate', `Signature realm="${settings.realm}",headers="${challengeList(required)}"`],
    ],
  }

  /** Some time has to be signed whatever the policy says of components. */
  function challengeList(required: readonly string[]): string {
    const names = namesFor(required)
    const time = timeName(settings)
    return (time === undefined || names.includes('date') ? names : [...names, time]).join(' ')
  }
}
