import { CountersignError } from '../../reasons/error.ts'
import type { Scheme } from '../scheme.ts'
import { signatureBase } from './base.ts'
import type { Rfc9421Claim } from './claim.ts'
import { drafter, identifierText, isLabel, writeSignature } from './draft.ts'
import { registeredTypes } from './field.ts'
import type { Rfc9421Options } from './options.ts'
import { readClaims, schemeName } from './read.ts'
import type { Reading, StructuredTypes } from './reading.ts'

/** Longest signature base, in characters: as much as the header that Node accepts. Several signatures share it. */
const maxBaseLength = 16_384

/**
 * HTTP Message Signatures: `Signature-Input` and `Signature` fields, with `Content-Digest` for the content. RFC 9421, RFC 9530.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function rfc9421(options: Rfc9421Options = {}): Scheme<Rfc9421Claim> {
  checkOptions(options)
  const types: StructuredTypes = new Map([...registeredTypes, ...Object.entries(options.fieldTypes ?? {})])
  const alone: Reading = { types, textLimit: maxBaseLength }
  return {
    name: schemeName,
    traits: {
      time: true,
      nonce: true,
      chosenCoverage: true,
      bodyInBase: false,
      uncovered: ['whatever the signer leaves out, above the minimum that the policy requires'],
    },
    algorithms: [
      'hmac-sha256',
      'ed25519',
      'ecdsa-p256-sha256',
      'ecdsa-p384-sha384',
      'rsa-pss-sha512',
      'rsa-v1_5-sha256',
    ],
    encoding: 'base64',
    read: readClaims,
    base: (message, claim, { sharedBy = 1 }) =>
      signatureBase(message, claim, sharedBy === 1 ? alone : { types, textLimit: maxBaseLength / sharedBy }),
    draft: drafter(options),
    write: writeSignature,
    challenge: (required) => [
      ['WWW-Authenticate', 'HTTP-Message-Signatures'],
      ['Accept-Signature', `sig1=(${required.map(identifierText).join(' ')});created;keyid;nonce`],
    ],
  }
}

function checkOptions({ label, expiresInSeconds }: Rfc9421Options): void {
  if (label !== undefined && !isLabel(label)) {
    throw new CountersignError(
      'config-invalid',
      `rfc9421 label: expected a key of RFC 9651, got ${JSON.stringify(label)}`,
    )
  }
  if (
    expiresInSeconds !== undefined &&
    !(Number.isInteger(expiresInSeconds) && expiresInSeconds >= 1 && expiresInSeconds <= 86_400)
  ) {
    throw new CountersignError(
      'config-invalid',
      `rfc9421 expiresInSeconds: expected 1 to 86400, got ${expiresInSeconds}`,
    )
  }
}
