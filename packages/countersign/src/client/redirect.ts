import { utf8Decode } from '../bytes/utf8.ts'
import { CountersignError } from '../reasons/error.ts'

/**
 * What a client does with a redirect to another origin: refuse it, or follow it without signature and credentials.
 * @internal
 */
export type CrossOrigin = 'refuse' | 'unsigned'

/**
 * How a client follows redirects.
 * @internal
 */
export interface RedirectOptions {
  /**
   * `refuse` (default) fails a cross-origin redirect. `unsigned` follows it without signature, `Authorization` and
   * `Cookie`, and signs nothing of that chain again, even back at home: the other origin chose the target.
   */
  readonly crossOrigin?: CrossOrigin
  /** Redirects followed in a row. Default 20; 0 to 20. */
  readonly maxRedirects?: number
}

/**
 * A redirect response as a client met it.
 * @internal
 */
export interface RedirectInput {
  readonly status: number
  readonly location: string | null | undefined
  /** The URL that answered. */
  readonly url: URL
  readonly method: string
  /** Redirects followed so far. */
  readonly count: number
}

/**
 * Where a redirect leads, and what becomes of the request on the way.
 * @internal
 */
export interface Redirect {
  readonly url: URL
  readonly method: string
  /** The body is not sent again, nor the fields that describe it. */
  readonly dropsBody: boolean
  readonly crossesOrigin: boolean
}

/**
 * Fields that describe a body, in lower case; they go with it. The first four are those of the Fetch standard.
 * @internal
 */
export const bodyFields: readonly string[] = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
]

/**
 * Fields that must not be sent to another origin, in lower case.
 * @internal
 */
export const credentialFields: readonly string[] = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'signature',
  'signature-input',
  'host',
]

/** Most redirects in a row. Fetch standard, HTTP-redirect fetch. */
const mostRedirects = 20

/**
 * Completes redirect options.
 * @throws CountersignError `config-invalid` for a value out of range.
 * @internal
 */
export function redirectRules(options: RedirectOptions): Required<RedirectOptions> {
  const { crossOrigin = 'refuse', maxRedirects = mostRedirects } = options
  if (crossOrigin !== 'refuse' && crossOrigin !== 'unsigned') {
    throw new CountersignError('config-invalid', "crossOrigin: expected 'refuse' or 'unsigned'")
  }
  if (!Number.isInteger(maxRedirects) || maxRedirects < 0 || maxRedirects > mostRedirects) {
    throw new CountersignError(
      'config-invalid',
      `maxRedirects: expected a whole number, 0 to ${mostRedirects}`,
    )
  }
  return { crossOrigin, maxRedirects }
}

/**
 * Gives where a response sends the request, or `undefined` where it is no redirect. Rules of the Fetch standard,
 * HTTP-redirect fetch: 303, and POST after 301 or 302, become GET without body; 307 and 308 repeat the request.
 * @throws CountersignError `redirect-refused` for an unusable Location, one redirect too many, or a forbidden origin.
 * @internal
 */
export function nextRedirect(input: RedirectInput, rules: Required<RedirectOptions>): Redirect | undefined {
  const { status, method, location } = input
  if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) return undefined
  if (location === null || location === undefined) return undefined
  const url = resolve(location, input.url)
  if (url === undefined) {
    throw new CountersignError(
      'redirect-refused',
      `${input.url.origin} redirected to something that is no http URL, or that holds a password`,
    )
  }
  if (input.count >= rules.maxRedirects) {
    throw new CountersignError('redirect-refused', `more than ${rules.maxRedirects} redirects in a row`)
  }
  const crossesOrigin = url.origin !== input.url.origin
  if (crossesOrigin && rules.crossOrigin === 'refuse') {
    throw new CountersignError(
      'redirect-refused',
      `${input.url.origin} redirected a signed request to ${url.origin}: a signature is not sent to another origin. ` +
        "Use that URL itself if it is trusted, or set crossOrigin: 'unsigned'",
    )
  }
  const dropsBody = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST'
  return { url, method: dropsBody ? 'GET' : method, dropsBody, crossesOrigin }
}

function resolve(location: string, base: URL): URL | undefined {
  const text = asUtf8(location)
  if (!URL.canParse(text, base)) return undefined
  const url = new URL(text, base)
  if (url.username !== '' || url.password !== '') return undefined
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}

/** Reads a Location of raw UTF-8 bytes, which fields show as Latin-1; anything else stays as it is. */
function asUtf8(location: string): string {
  const bytes = new Uint8Array(location.length)
  for (let i = 0; i < location.length; i++) {
    const code = location.charCodeAt(i)
    if (code > 255) return location
    bytes[i] = code
  }
  return utf8Decode(bytes) ?? location
}
