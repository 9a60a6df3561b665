import type { Scheme } from '../scheme.ts'
import { signatureBase } from './base.ts'
import type { FlaskHmacauthClaim } from './claim.ts'
import { draftSignature } from './draft.ts'
import { type FlaskHmacauthOptions, settingsFrom } from './options.ts'
import { readClaims, readFormClaims, schemeName } from './read.ts'

/**
 * The scheme of the Python package Flask-HmacAuth, to the byte: an HMAC in hex over path, `?`, query and, of a POST, the body,
 * in `X-Auth-Signature`; TIMESTAMP and ACCOUNT_ID stand in the query. Method, host and other content are not signed, and
 * within the window a request can be sent again, unless `singleUse` is set. Refusals are answered 403.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function flaskHmacauth(options: FlaskHmacauthOptions = {}): Scheme<FlaskHmacauthClaim> {
  const settings = settingsFrom(options)
  const { validSeconds, signatureHeader, singleUse } = settings
  return {
    name: schemeName,
    traits: {
      time: true,
      nonce: singleUse,
      chosenCoverage: false,
      bodyInBase: true,
      defaultWindow: { maxAgeSeconds: validSeconds, skewSeconds: validSeconds },
      uncovered: [
        'method',
        'host',
        'connection scheme',
        'header fields',
        'content of methods other than POST',
        ...(singleUse ? [] : ['repetition within the window']),
      ],
    },
    algorithms: [`hmac-${settings.digest}`],
    encoding: 'hex',
    read: (message) => readClaims(message, settings),
    readContent: (message, context) => readFormClaims(message, settings, context),
    base: (message, claim, { limitBytes }) => signatureBase(message, claim, limitBytes),
    // biome-ignore lint/correctness/useYield: everything this draft needs is at hand
    *draft(input) {
      return draftSignature(input, settings)
    },
    write: ({ set, query }, signature) => ({
      set: [...set, [signatureHeader, signature]],
      ...(query === undefined ? {} : { query }),
    }),
    // The original names no way to sign, and 403 asks for none. RFC 9110 section 15.5.4.
    challenge: () => [],
    refusalStatus: 403,
  }
}
