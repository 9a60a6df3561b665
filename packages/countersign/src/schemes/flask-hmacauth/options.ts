import type { HashName } from '../../algorithms/hashes.ts'
import type { RequestMessage } from '../../message/message.ts'
import { CountersignError } from '../../reasons/error.ts'

/** Forms of old clients that are refused by default, since they let other requests pass under the same signature. */
export type FlaskHmacauthForm =
  // A POST of a form, which the original checks without its content.
  | 'unsigned-forms'
  // ACCOUNT_ID or TIMESTAMP in the content of an urlencoded form, which nothing signs, on any method but GET.
  | 'form-parameters'
  // Content on a method other than POST, PUT, PATCH and DELETE.
  | 'unsigned-content'
  // ACCOUNT_ID or TIMESTAMP twice, of which the first counts.
  | 'repeated-parameters'
  // A POST whose body could have been part of its query.
  | 'ambiguous-bodies'
  // `;` in the last segment of the path, which is left unsigned with all that follows in it.
  | 'path-parameters'
  // `%2F` or `%3B` in the path, `%2B` or `%3B` in the query, signed like `/`, `;` and `+`.
  | 'escaped-separators'
  // A path that starts with several slashes, signed as one.
  | 'leading-slashes'

/** What `flaskHmacauth` takes. */
export interface FlaskHmacauthOptions {
  /** Hash of the HMAC. Default `sha1`, as the original's. */
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** Seconds that a TIMESTAMP may lie back, and ahead, where the policy does not say. Default 5; whole, 0 to 3600. */
  readonly validSeconds?: number
  /** Name of the field with the signature. Default `X-Auth-Signature`. */
  readonly signatureHeader?: string
  /** The key id, or where it stands in a request. Default: the parameter ACCOUNT_ID. One id is what a static broker was. */
  readonly keyId?: string | ((request: RequestMessage) => string | undefined)
  /** Where the signature stands. Default: the field `signatureHeader`. */
  readonly signature?: (request: RequestMessage) => string | undefined
  /** Where the time stands, in seconds since the epoch. Default: the parameter TIMESTAMP. Only the target and the body of a POST are signed. */
  readonly timestamp?: (request: RequestMessage) => string | number | undefined
  /** Methods accepted; the scheme signs none. Default GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE; of `strict` GET and POST. */
  readonly methods?: readonly string[]
  /** Takes the signature for a nonce: with a nonce store a request passes once. Default false: two equal ones may be honest. */
  readonly singleUse?: boolean
  /**
   * Refuses whatever the signature does not pin: unsigned content, a target that is not signed as sent, a TIMESTAMP other
   * than ten digits, methods but GET and POST. Default false: all that honest clients of the original send.
   */
  readonly strict?: boolean
  /** Forms of old clients to admit all the same. Each is named in a warning. Default none; none with `strict`. */
  readonly compatible?: readonly FlaskHmacauthForm[]
}

/** Options checked, with defaults filled in. */
export interface Settings {
  readonly digest: HashName
  readonly validSeconds: number
  readonly signatureHeader: string
  readonly keyId: FlaskHmacauthOptions['keyId']
  readonly signature: FlaskHmacauthOptions['signature']
  readonly timestamp: FlaskHmacauthOptions['timestamp']
  readonly methods: readonly string[]
  readonly singleUse: boolean
  readonly strict: boolean
  readonly compatible: ReadonlySet<string>
}

const forms: readonly string[] = [
  'unsigned-forms',
  'form-parameters',
  'unsigned-content',
  'repeated-parameters',
  'ambiguous-bodies',
  'path-parameters',
  'escaped-separators',
  'leading-slashes',
] satisfies FlaskHmacauthForm[]

const digests: readonly string[] = ['sha1', 'sha256', 'sha384', 'sha512'] satisfies HashName[]
const usualMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']
const signedMethods: readonly string[] = ['GET', 'POST']
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

/**
 * Checks options and fills in their defaults.
 * @throws CountersignError `config-invalid`, naming the option.
 */
export function settingsFrom(options: FlaskHmacauthOptions): Settings {
  const { digest = 'sha1', validSeconds = 5, signatureHeader = 'X-Auth-Signature', strict = false } = options
  const { methods = strict ? signedMethods : usualMethods, compatible = [], singleUse = false } = options
  if (!digests.includes(digest)) throw invalid('digest', digests.join(', '))
  if (!Number.isInteger(validSeconds) || validSeconds < 0 || validSeconds > 3600) {
    throw invalid('validSeconds', 'a whole number from 0 to 3600')
  }
  if (!token.test(signatureHeader)) throw invalid('signatureHeader', 'the name of a field')
  if (!methods.every((method) => token.test(method))) throw invalid('methods', 'names of methods')
  for (const form of compatible) if (!forms.includes(form)) throw invalid('compatible', forms.join(', '))
  if (strict && compatible.length > 0) throw invalid('compatible', 'nothing beside strict')
  const { keyId, signature, timestamp } = options
  if (keyId === '') throw invalid('keyId', 'an id that is not empty')
  return {
    digest,
    validSeconds,
    signatureHeader,
    keyId,
    signature,
    timestamp,
    methods,
    singleUse,
    strict,
    compatible: new Set(compatible),
  }
}

function invalid(option: string, expected: string): CountersignError {
  return new CountersignError('config-invalid', `flaskHmacauth ${option}: expected ${expected}`)
}
