/** A request target taken apart, nothing decoded. RFC 9112 section 3.2. */
export interface TargetParts {
  readonly form: 'origin' | 'absolute' | 'authority' | 'asterisk'
  /** Scheme of the absolute form, in lower case. */
  readonly scheme?: string
  /** Authority of the absolute or authority form, as sent. */
  readonly authority?: string
  /** Path as sent; `''` where the absolute form has none. */
  readonly path: string
  /** Query as sent, without the `?`; `undefined` where there is no `?`. */
  readonly query: string | undefined
}

/** Gives everything in front of the first `?`. For the origin form this is the path as sent. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? target : target.slice(0, mark)
}

/** Gives everything behind the first `?`, or `undefined` where there is none. */
export function queryOf(target: string): string | undefined {
  const mark = target.indexOf('?')
  return mark < 0 ? undefined : target.slice(mark + 1)
}

/**
 * Takes a request target apart without decoding or normalising it. Gives a text that says what is wrong
 * where it has no unambiguous reading: a fragment, a control, blank or non-ASCII character, a backslash.
 * `new URL()` is not used: it moves the host for `//evil/x` and rewrites dot segments.
 */
export function splitTarget(target: string, method: string): TargetParts | string {
  if (!plainTarget.test(target)) return targetProblem(target)
  if (target.charCodeAt(0) === 47) {
    const mark = target.indexOf('?')
    return mark < 0
      ? { form: 'origin', path: target, query: undefined }
      : { form: 'origin', path: target.slice(0, mark), query: target.slice(mark + 1) }
  }
  if (target === '*') {
    return method === 'OPTIONS'
      ? { form: 'asterisk', path: '*', query: undefined }
      : 'the asterisk form of a request target belongs to OPTIONS'
  }
  if (method === 'CONNECT') {
    return isAuthority(target)
      ? { form: 'authority', authority: target, path: '', query: undefined }
      : 'the request target of CONNECT is not an authority'
  }
  return splitAbsolute(target)
}

// Visible ASCII but for `#` and `\\`.
const plainTarget = /^[!"$-[\]-~]*$/

function targetProblem(target: string): string {
  if (target.includes('#')) return 'the request target has a fragment'
  return target.includes('\\')
    ? 'the request target has a backslash'
    : 'the request target has a character that is not visible ASCII'
}

/** Takes an absolute `http` or `https` URI apart without decoding or normalising it; gives a text where it is not one. */
export function splitAbsolute(uri: string): TargetParts | string {
  const colon = uri.indexOf('://')
  const scheme = colon < 0 ? '' : uri.slice(0, colon).toLowerCase()
  if (scheme !== 'http' && scheme !== 'https') return 'the request target is neither a path nor an http URI'
  const start = colon + 3
  let end = start
  while (end < uri.length && uri.charCodeAt(end) !== 47 && uri.charCodeAt(end) !== 63) end++
  const authority = uri.slice(start, end)
  if (!isAuthority(authority)) return 'the request target has an authority that is not host and port'
  const rest = uri.slice(end)
  return { form: 'absolute', scheme, authority, path: pathOf(rest), query: queryOf(rest) }
}

/**
 * Tells whether text is `host` or `host:port` in plain characters: letters, digits, `-`, `.`, `_`, `~`, or a bracketed
 * IPv6 literal, and a port of 1 to 5 digits without a leading zero. User information, lists and percent-escapes are refused.
 */
export function isAuthority(text: string): boolean {
  // A server sees the same Host again and again.
  if (text === lastAuthority) return true
  if (!readsAsAuthority(text)) return false
  lastAuthority = text
  return true
}

let lastAuthority: string | undefined

function readsAsAuthority(text: string): boolean {
  if (text.length === 0 || text.length > 261) return false
  let at = 0
  if (text.charCodeAt(0) === 91) {
    at = text.indexOf(']')
    if (at < 3) return false
    for (let i = 1; i < at; i++) if (!isIpv6Character(text.charCodeAt(i))) return false
    at++
  } else {
    while (at < text.length && isHostCharacter(text.charCodeAt(at))) at++
    if (at === 0) return false
  }
  return at === text.length || isPort(text, at)
}

/** Default port of `http` or `https` as text. */
export function defaultPort(scheme: string): string {
  return scheme === 'https' ? '443' : '80'
}

/** Lower-cases an authority and drops the default port of the scheme. RFC 9421 section 2.2.3. */
export function normalizeAuthority(authority: string, scheme: string): string {
  const lower = authority.toLowerCase()
  const port = scheme === 'https' ? ':443' : ':80'
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower
}

function isPort(text: string, colon: number): boolean {
  const digits = text.length - colon - 1
  if (text.charCodeAt(colon) !== 58 || digits < 1 || digits > 5) return false
  if (text.charCodeAt(colon + 1) === 48) return false
  for (let i = colon + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 48 || code > 57) return false
  }
  return Number(text.slice(colon + 1)) <= 65535
}

function isHostCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    code === 45 ||
    code === 46 ||
    code === 95 ||
    code === 126
  )
}

function isIpv6Character(code: number): boolean {
  return (
    (code >= 48 && code <= 58) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70) || code === 46
  )
}
