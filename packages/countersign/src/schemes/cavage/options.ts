import type { HashName } from '../../algorithms/hashes.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isHeaderName } from './names.ts'

/**
 * Whose signatures: `draft` those of draft-cavage-http-signatures 03 to 12, `flask-cavage` those that the server of the package
 * Flask-Cavage accepts: `Authorization` only, the decoded path, the query on GET, HEAD and DELETE only, fixed headers by method.
 */
export type CavageProfile = 'draft' | 'flask-cavage'

/** Forms of old clients that are refused unless named. Each makes verdicts warn with `compatible`. */
export type CavageCompatible =
  /** A `Digest` with SHA-1 counts; verdicts that stand on it alone also warn with `weak-algorithm`. */
  | 'sha1-digest'
  /** A `Digest` with MD5 counts; verdicts that stand on it alone also warn with `weak-algorithm`. */
  | 'md5-digest'
  /** `draft`: `(created)` and `(expires)` beside an algorithm named `rsa-`, `hmac-` or `ecdsa-`. */
  | 'created-with-named-algorithm'
  /** `draft`: a `Date` whose weekday is not that of its day, as in the examples of drafts 03 to 08. */
  | 'date-weekday'
  /** `flask-cavage`: a query on methods that sign the path alone; verdicts also warn with `query-uncovered`. */
  | 'unsigned-query'
  /** `flask-cavage`: methods besides GET, HEAD, DELETE, POST, PUT and PATCH, signed like GET without the query. */
  | 'other-methods'
  /** `flask-cavage`: `%2F` and `%3F` in the path, which are signed as `/` and `?`. */
  | 'escaped-delimiters'
  /** `flask-cavage`: `?` at the end of a query, which is not signed. */
  | 'trailing-question-marks'

/** Lower-case header names and `(request-target)`, `(created)`, `(expires)`, for every method or by method (`*` for the others). */
export type HeaderLists = readonly string[] | { readonly [method: string]: readonly string[] }

/** What `cavage` takes. */
export interface CavageOptions {
  /** Default `draft`. */
  readonly profile?: CavageProfile
  /**
   * What a signer signs, and the least that a verifier demands where its policy has no `covers`. Default `(request-target)`, `host`,
   * `date`, and with content `digest` and the `content-type` there is; in `flask-cavage` its fixed lists.
   */
  readonly headers?: HeaderLists
  /** What a signer signs for a time where `headers` is not given: the `Date` field, or `(created)` of drafts 11 and 12. Default `date`. */
  readonly time?: 'date' | 'created'
  /** Field that a signer writes. Default `authorization`; `signature` only in the profile `draft`. */
  readonly field?: 'authorization' | 'signature'
  /** Whether a signer names the algorithm, writes `hs2019`, or nothing. Default: the name, but `hs2019` with `(created)` or without a name. */
  readonly algorithm?: 'named' | 'hs2019' | 'none'
  /** Hash of the digest that a signer makes. Default `SHA-256`. */
  readonly digest?: 'SHA-256' | 'SHA-512'
  /** Seconds from signing to expiry, for lists with `(expires)`. Default 300; 1 to 86400. */
  readonly expiresInSeconds?: number
  /** Whether a verifier with a nonce store takes each signature once; two equal requests of one second are one then. Default false. */
  readonly singleUse?: boolean
  /** Characters of key ids that are accepted: `word` is letters, digits and `_`. Default `any`: visible ASCII and blanks. */
  readonly keyIds?: 'any' | 'word'
  /** Realm of the challenge. Default `HTTP-Signatures`. */
  readonly realm?: string
  /** Forms of old clients to accept. Default: none. */
  readonly compatible?: readonly CavageCompatible[]
}

/** Options with every default filled in. */
export interface Settings {
  readonly isFlask: boolean
  readonly headers: HeaderLists | undefined
  readonly time: 'date' | 'created'
  readonly field: 'authorization' | 'signature'
  readonly algorithm: CavageOptions['algorithm']
  readonly digest: 'SHA-256' | 'SHA-512'
  readonly expiresInSeconds: number
  readonly singleUse: boolean
  readonly keyIds: 'any' | 'word'
  readonly realm: string
  readonly compatible: ReadonlySet<CavageCompatible>
  /** Hashes that count in `Digest`; `undefined` for the usual ones. */
  readonly digestHashes: readonly HashName[] | undefined
}

const profiles: readonly CavageProfile[] = ['draft', 'flask-cavage']
const ofBoth: readonly CavageCompatible[] = ['sha1-digest', 'md5-digest']
const ofDraft: readonly CavageCompatible[] = ['created-with-named-algorithm', 'date-weekday']
const ofFlask: readonly CavageCompatible[] = [
  'unsigned-query',
  'other-methods',
  'escaped-delimiters',
  'trailing-question-marks',
]

/**
 * Checks options and fills in their defaults.
 * @throws CountersignError `config-invalid`, naming the option.
 */
export function settingsFrom(options: CavageOptions): Settings {
  const isFlask = oneOf('profile', options.profile ?? 'draft', profiles) === 'flask-cavage'
  const compatible = new Set(options.compatible ?? [])
  for (const form of compatible) oneOf('compatible', form, [...ofBoth, ...(isFlask ? ofFlask : ofDraft)])
  checkHeaders(options.headers, isFlask)
  const { expiresInSeconds = 300, realm = 'HTTP-Signatures' } = options
  if (!Number.isInteger(expiresInSeconds) || expiresInSeconds < 1 || expiresInSeconds > 86_400) {
    throw invalid('expiresInSeconds', 'a whole number from 1 to 86400')
  }
  if (typeof realm !== 'string' || !/^[ !#-[\]-~]{0,128}$/.test(realm)) {
    throw invalid('realm', 'printable ASCII without quotes and backslashes')
  }
  return {
    isFlask,
    headers: options.headers,
    time: oneOf('time', options.time ?? 'date', isFlask ? ['date'] : ['date', 'created']),
    field: oneOf(
      'field',
      options.field ?? 'authorization',
      isFlask ? ['authorization'] : ['authorization', 'signature'],
    ),
    algorithm:
      options.algorithm === undefined
        ? undefined
        : oneOf('algorithm', options.algorithm, isFlask ? ['named'] : ['named', 'hs2019', 'none']),
    digest: oneOf('digest', options.digest ?? 'SHA-256', ['SHA-256', 'SHA-512']),
    expiresInSeconds,
    singleUse: oneOf('singleUse', options.singleUse ?? false, [true, false]),
    keyIds: oneOf('keyIds', options.keyIds ?? 'any', ['any', 'word']),
    realm,
    compatible,
    digestHashes: digestHashes(isFlask, compatible),
  }
}

function digestHashes(
  isFlask: boolean,
  compatible: ReadonlySet<CavageCompatible>,
): readonly HashName[] | undefined {
  const weak: HashName[] = []
  if (compatible.has('sha1-digest')) weak.push('sha1')
  if (compatible.has('md5-digest')) weak.push('md5')
  if (isFlask) return ['sha512', 'sha384', 'sha256', 'sha224', ...weak]
  return weak.length === 0 ? undefined : ['sha512', 'sha256', ...weak]
}

function checkHeaders(headers: HeaderLists | undefined, isFlask: boolean): void {
  if (headers === undefined) return
  const lists: readonly unknown[] = Array.isArray(headers) ? [headers] : Object.values(headers)
  for (const list of lists) {
    if (!Array.isArray(list) || list.length === 0 || list.length > 32 || new Set(list).size !== list.length) {
      throw invalid('headers', 'lists of 1 to 32 names, each once')
    }
    for (const name of list) {
      const isTime = name === '(created)' || name === '(expires)'
      if (typeof name !== 'string' || !isHeaderName(name) || (isFlask && isTime)) {
        throw invalid('headers', `lower-case names of the profile, not ${JSON.stringify(name)}`)
      }
    }
  }
}

function oneOf<T>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw invalid(option, `one of ${allowed.join(', ')}, got ${JSON.stringify(value) ?? String(value)}`)
}

function invalid(option: string, expected: string): CountersignError {
  return new CountersignError('config-invalid', `cavage ${option}: expected ${expected}`)
}
