import type { RequestMessage } from '../../message/message.ts'
import { CountersignError } from '../../reasons/error.ts'

/**
 * Whose signatures: `draft-01` those of draft-ietf-oauth-v2-http-mac-01, `django-auth-mac` those that the server of the
 * package auth_mac 0.1.2 for Django accepts: the decoded path without the query, Host in its own case up to its first
 * colon, the server's own port.
 */
export type OauthMacProfile = 'draft-01' | 'django-auth-mac'

/**
 * Forms of old clients that are refused unless named. Each makes verdicts warn with `compatible`.
 *
 * - `any-time`: any `ts`, for clients without a clock; verdicts also warn with `time-unchecked`. See `rememberSeconds`.
 * - `loose-separators`: parameters with semicolons, blanks or nothing between them.
 * - `loose-timestamp`: a `ts` with blanks around it or a plus sign in front. It is signed as sent.
 * - `unknown-parameters`: further parameters, which are not signed and not read.
 * - `encoded-slash` (`django-auth-mac` only): `%2F` in the path, which is signed as `/`.
 * - `unsigned-ext` (`django-auth-mac` only): an `ext` that the signature leaves out.
 */
export type OauthMacCompatible =
  | 'any-time'
  | 'loose-separators'
  | 'loose-timestamp'
  | 'unknown-parameters'
  | 'encoded-slash'
  | 'unsigned-ext'

/** What `oauthMac` takes. */
export interface OauthMacOptions {
  /** Default `draft-01`. */
  readonly profile?: OauthMacProfile
  /**
   * Port that is signed in the profile `django-auth-mac`: the one its server listens on, whatever Host says. 1 to 65535.
   * Default: the port of Host, else that of the connection's scheme, as always in `draft-01`.
   */
  readonly port?: number
  /** What a signer puts into `ext`, for every request or by request. Printable ASCII without `"` and `\`. Default: none. */
  readonly ext?: string | ((message: RequestMessage) => string | undefined)
  /** Forms of old clients to accept. Default: none. */
  readonly compatible?: readonly OauthMacCompatible[]
  /**
   * With `any-time`: seconds for which each id, `ts` and nonce is accepted once; a copy sent later passes again, unless the
   * credential has ended. Default 2592000 (30 days); 3600 to 315360000.
   */
  readonly rememberSeconds?: number
  /**
   * Seconds to add to the `ts` of a key id to get Unix time, as saved for that client, whose clock is wrong or counts from
   * another instant (draft-01 section 4.1). Default: 0 for all. Whatever is no whole number, and a failure, refuses with 503.
   */
  readonly clockOffsetSeconds?: (keyId: string) => number | undefined
}

/** Options with every default filled in. */
export interface Settings {
  readonly profile: OauthMacProfile
  readonly port: string | undefined
  readonly ext: OauthMacOptions['ext']
  readonly compatible: ReadonlySet<OauthMacCompatible>
  readonly rememberSeconds: number
  readonly clockOffsetSeconds: OauthMacOptions['clockOffsetSeconds']
}

const profiles: readonly string[] = ['draft-01', 'django-auth-mac']
const everywhere: readonly string[] = [
  'any-time',
  'loose-separators',
  'loose-timestamp',
  'unknown-parameters',
]
const djangoOnly: readonly string[] = ['encoded-slash', 'unsigned-ext']

/**
 * Checks options and fills in their defaults.
 * @throws CountersignError `config-invalid`, naming the option.
 */
export function settingsFrom(options: OauthMacOptions): Settings {
  const { profile = 'draft-01', port, ext, compatible = [], rememberSeconds, clockOffsetSeconds } = options
  if (!profiles.includes(profile)) throw invalid('profile', profiles.join(' or '))
  const isDjango = profile === 'django-auth-mac'
  if (port !== undefined && !(isDjango && isWhole(port, 1, 65_535))) {
    throw invalid('port', '1 to 65535, and profile django-auth-mac: draft-01 signs the port of Host')
  }
  for (const name of compatible) {
    if (!everywhere.includes(name) && !(isDjango && djangoOnly.includes(name))) {
      throw invalid(
        'compatible',
        `${everywhere.join(', ')}; for django-auth-mac also ${djangoOnly.join(', ')}`,
      )
    }
  }
  const anyTime = compatible.includes('any-time')
  if (rememberSeconds !== undefined && !(anyTime && isWhole(rememberSeconds, 3600, 315_360_000))) {
    throw invalid('rememberSeconds', "3600 to 315360000, and compatible: ['any-time']")
  }
  if (typeof ext === 'string' && (ext === '' || !isPlain(ext))) {
    throw invalid('ext', 'printable ASCII without quotes and backslashes')
  }
  return {
    profile,
    port: port === undefined ? undefined : String(port),
    ext,
    compatible: new Set(compatible),
    rememberSeconds: rememberSeconds ?? 2_592_000,
    clockOffsetSeconds,
  }
}

/** Tells whether text is a `plain-string` of the draft, or empty: printable ASCII that needs no escapes. Draft-01 section 3.1. */
export function isPlain(text: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function invalid(option: string, expected: string): CountersignError {
  return new CountersignError('config-invalid', `oauthMac ${option}: expected ${expected}`)
}
