import { type HashName, hashes } from '../../algorithms/hashes.ts'
import type { TextEncoding } from '../../bytes/encoding.ts'
import { CountersignError } from '../../reasons/error.ts'

/**
 * What is signed, and how it is written, by release of the original:
 * - `path`: the percent-decoded path, in `HMAC`, URL-safe base64 (Flask-HMAC 0.1 to 0.1.3);
 * - `body-base64url`: the body, in `Signature`, URL-safe base64 with padding (flaskhmac 0.0.1 to 1.1.1);
 * - `body-base64`: the body, in `Signature`, base64 (flaskhmac 1.1.2 to 1.2.1);
 * - `named-base64url`, `named-base64`: `name:` and that value, once more in the same base64 (1.1.1; 1.1.2 to 1.2.1).
 */
export type FlaskHmacVariant = 'path' | 'body-base64url' | 'body-base64' | 'named-base64url' | 'named-base64'

/** Forms of old clients that are refused by default, since they let other requests pass under the same signature. */
export type FlaskHmacForm =
  // Of body and named variants: a form, of which the original sees no body, so that it takes the signature of nothing.
  | 'unsigned-forms'
  // Of `path`: `%2F` or `%3B` in the path, signed like `/` and `;`.
  | 'escaped-separators'
  // Of `path`: a path that starts with several slashes, signed as one.
  | 'leading-slashes'

/** What `flaskHmac` takes. */
export interface FlaskHmacOptions {
  readonly variant: FlaskHmacVariant
  /** Name of the field. Default `HMAC` for `path`, else `Signature`. */
  readonly header?: string
  /** Hash of the HMAC. Default `sha256`. */
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** How the HMAC is written. Default: as the variant says. Of `path`, base64url is read with and without padding. */
  readonly encoding?: TextEncoding
  /** Id of the one key where the wire names none (`path` and body variants). Default `default`. */
  readonly keyId?: string
  /** Forms of old clients to admit all the same. Each is named in a warning. Default none. */
  readonly compatible?: readonly FlaskHmacForm[]
}

/** How an HMAC is written as text. */
export interface MacForm {
  readonly encoding: TextEncoding
  /** Whether URL-safe base64 ends in `=`. */
  readonly padding: 'required' | 'optional'
  readonly byteLength: number
}

/** Options checked, with defaults filled in. */
export interface Settings {
  readonly covers: 'path' | 'body'
  /** Encoding around `name:` and the HMAC; `undefined` where no name is on the wire. */
  readonly wrapping: 'base64' | 'base64url' | undefined
  readonly header: string
  readonly digest: HashName
  readonly mac: MacForm
  readonly keyId: string
  readonly compatible: ReadonlySet<string>
}

const variants: Readonly<
  Record<FlaskHmacVariant, Pick<Settings, 'covers' | 'wrapping'> & { encoding: TextEncoding }>
> = {
  path: { covers: 'path', wrapping: undefined, encoding: 'base64url' },
  'body-base64url': { covers: 'body', wrapping: undefined, encoding: 'base64url' },
  'body-base64': { covers: 'body', wrapping: undefined, encoding: 'base64' },
  'named-base64url': { covers: 'body', wrapping: 'base64url', encoding: 'base64url' },
  'named-base64': { covers: 'body', wrapping: 'base64', encoding: 'base64' },
}

const forms: Readonly<Record<Settings['covers'], readonly string[]>> = {
  path: ['escaped-separators', 'leading-slashes'] satisfies FlaskHmacForm[],
  body: ['unsigned-forms'] satisfies FlaskHmacForm[],
}

const digests: readonly string[] = ['sha1', 'sha256', 'sha384', 'sha512'] satisfies HashName[]
const encodings: readonly string[] = ['hex', 'base64', 'base64url'] satisfies TextEncoding[]
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

/**
 * Checks options and fills in their defaults.
 * @throws CountersignError `config-invalid`, naming the option.
 */
export function settingsFrom(options: FlaskHmacOptions): Settings {
  const { variant, digest = 'sha256', keyId = 'default', compatible = [] } = options
  if (!Object.hasOwn(variants, variant)) throw invalid('variant', Object.keys(variants).join(', '))
  const { covers, wrapping, encoding: usual } = variants[variant]
  const { header = covers === 'path' ? 'HMAC' : 'Signature', encoding = usual } = options
  if (!token.test(header)) throw invalid('header', 'the name of a field')
  if (!digests.includes(digest)) throw invalid('digest', digests.join(', '))
  if (!encodings.includes(encoding)) throw invalid('encoding', encodings.join(', '))
  if (typeof keyId !== 'string' || keyId === '') throw invalid('keyId', 'an id that is not empty')
  for (const form of compatible) {
    if (!forms[covers].includes(form))
      throw invalid('compatible', `of ${variant}: ${forms[covers].join(', ')}`)
  }
  return {
    covers,
    wrapping,
    header,
    digest,
    mac: {
      encoding,
      padding: covers === 'path' ? 'optional' : 'required',
      byteLength: hashes[digest].digestBytes,
    },
    keyId,
    compatible: new Set(compatible),
  }
}

function invalid(option: string, expected: string): CountersignError {
  return new CountersignError('config-invalid', `flaskHmac ${option}: expected ${expected}`)
}
