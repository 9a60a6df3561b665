import { bodyRefusal } from '../../digest/content-digest.ts'
import type { Body } from '../../message/body.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isRefusal, type Refusal } from '../../reasons/reasons.ts'
import { ask, type Steps } from '../../steps/steps.ts'
import type { Asked, Scheme } from '../scheme.ts'
import { type FlaskHmacOptions, type Settings, settingsFrom } from './options.ts'
import { claimOf, type FlaskHmacClaim, readClaims, schemeName } from './read.ts'
import { isKeyName, nameLimit, writeValue } from './value.ts'

/**
 * The scheme of the Python packages Flask-HMAC and flaskhmac, to the byte, in the variant that is asked for: an HMAC of the
 * path alone, or of the body alone, under one key or a named one. Everything else is unsigned and every request can be sent
 * again for ever: for services that must keep old clients. Refusals are answered 403.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function flaskHmac(options: FlaskHmacOptions): Scheme<FlaskHmacClaim> {
  const settings = settingsFrom(options)
  const { covers, header, digest, mac } = settings
  return {
    name: schemeName,
    traits: {
      time: false,
      nonce: false,
      chosenCoverage: false,
      bodyInBase: covers === 'body',
      uncovered: [
        'method',
        'host',
        'connection scheme',
        covers === 'body' ? 'path' : 'content',
        'query',
        'header fields',
        'time',
        'nonce',
      ],
    },
    algorithms: [`hmac-${digest}`],
    encoding: mac.encoding,
    read: (message) => readClaims(message, settings),
    base: ({ body }, { signedText, signsContent }, { limitBytes }) =>
      signsContent ? bodyBase(body, limitBytes) : { text: signedText, labels: ['path'] },
    // biome-ignore lint/correctness/useYield: everything this draft needs is at hand
    *draft({ message, keyId }) {
      if (message.kind !== 'request') {
        throw new CountersignError('component-unavailable', 'flask-hmac signs requests; a response was given')
      }
      checkKeyId(keyId, settings)
      const claim = claimOf(message, keyId, '', settings)
      if (isRefusal(claim)) throw new CountersignError('component-unavailable', claim.detail)
      return { claim, message, set: [] }
    },
    write: ({ claim, set }, signature) => ({
      set: [...set, [header, writeValue(claim.keyId, signature, settings)]],
    }),
    // The original names no way to sign, and 403 asks for none. RFC 9110 section 15.5.4.
    challenge: () => [],
    refusalStatus: 403,
  }
}

function bodyBase(body: Body, limitBytes: number): Asked<SignatureBase | Refusal> {
  if (body === undefined) return { text: '', labels: [] }
  return body instanceof Uint8Array && body.length <= limitBytes
    ? { text: '', body, labels: [] }
    : lateBody(body, limitBytes)
}

function* lateBody(body: Body, limitBytes: number): Steps<SignatureBase | Refusal> {
  const bytes = yield* ask({ kind: 'body', body, limitBytes })
  return bytes instanceof Uint8Array
    ? { text: '', body: bytes, labels: [] }
    : bodyRefusal(bytes.problem, limitBytes)
}

function checkKeyId(keyId: string, { wrapping }: Settings): void {
  if (wrapping !== undefined && !isKeyName(keyId)) {
    throw new CountersignError(
      'config-invalid',
      `credential id: flask-hmac names keys in up to ${nameLimit} characters of ASCII without ":"`,
    )
  }
}
