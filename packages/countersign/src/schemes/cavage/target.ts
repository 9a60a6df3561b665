import { hexValue } from '../../bytes/hex.ts'
import type { RequestMessage } from '../../message/message.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Settings } from './options.ts'

/** Methods of Flask-Cavage whose query is signed, and those whose digest is. */
const withQuery: readonly string[] = ['GET', 'HEAD', 'DELETE']
const withDigest: readonly string[] = ['POST', 'PUT', 'PATCH']

/** Tells whether the whole target of a request is signed, or its path alone. */
export function targetCoverage({ isFlask }: Pick<Settings, 'isFlask'>, method: string): 'whole' | 'path' {
  return isFlask && !withQuery.includes(method) ? 'path' : 'whole'
}

/** Tells whether the fixed list of a method has the digest of the content. */
export function signsDigest(method: string): boolean {
  return withDigest.includes(method)
}

/** Tells whether a path has an escape of what parts a target. */
export function hasEscapedDelimiter(path: string): boolean {
  return /%(?:2f|3f)/i.test(path)
}

/** Gives the value of `(request-target)`: the method in lower case, a space, the target. Drafts 03 to 12, section 2.3. */
export function requestTarget(message: RequestMessage, settings: Settings): string | Refusal {
  const { method } = message
  // Lower-cased, `GET` and `get` are one; methods are case-sensitive (RFC 9110 section 9.1) and upper case in all use.
  if (/[a-z]/.test(method)) return ambiguous('the method has lower-case letters, and is signed in lower case')
  const target = settings.isFlask ? flaskTarget(message, settings) : path(message)
  return typeof target === 'string' ? `${method.toLowerCase()} ${target}` : target
}

/** The target as HTTP/2 has it in `:path`, which the drafts refer to. RFC 9113 section 8.3.1. */
function path({ target, parts }: RequestMessage): string | Refusal {
  switch (parts.form) {
    case 'origin':
    case 'asterisk':
      return target
    case 'absolute': {
      const path = parts.path === '' ? '/' : parts.path
      return parts.query === undefined ? path : `${path}?${parts.query}`
    }
    case 'authority':
      return refuse('component-missing', 'the request has no path to be signed')
    default:
      return parts.form satisfies never
  }
}

/** The target as a server of Flask-Cavage signs it: the decoded path, and the query on methods without content. */
function flaskTarget({ method, parts }: RequestMessage, settings: Settings): string | Refusal {
  const { compatible } = settings
  const signsQuery = withQuery.includes(method)
  if (!signsQuery && !signsDigest(method) && !compatible.has('other-methods')) {
    return ambiguous('the method is none that this profile signs')
  }
  if (hasEscapedDelimiter(parts.path) && !compatible.has('escaped-delimiters')) {
    return ambiguous('the path has an escaped "/" or "?", which is signed like a bare one')
  }
  const decoded = decodedPath(parts.path === '' ? '/' : parts.path)
  if (typeof decoded !== 'string') return decoded
  const { query = '' } = parts
  if (!signsQuery) {
    return query === '' || compatible.has('unsigned-query')
      ? decoded
      : refuse('coverage-missing', 'there is a query, and this profile signs the path alone on this method')
  }
  if (!query.endsWith('?')) return query === '' ? decoded : `${decoded}?${query}`
  if (!compatible.has('trailing-question-marks')) {
    return ambiguous('the query ends in "?", which this profile does not sign')
  }
  let end = query.length
  while (query.charCodeAt(end - 1) === 63) end--
  return end === 0 ? decoded : `${decoded}?${query.slice(0, end)}`
}

/** Percent-decodes a path, once. Refused is what would let another path, or other lines of the base, have the same form. */
function decodedPath(path: string): string | Refusal {
  let decoded = ''
  let from = 0
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    const high = hexValue(path.charCodeAt(at + 1))
    const low = hexValue(path.charCodeAt(at + 2))
    if (high < 0 || low < 0) return ambiguous('the path has a malformed escape')
    const code = high * 16 + low
    if (code < 32 || code > 126) return ambiguous('the path has an escape that is not visible ASCII')
    decoded += path.slice(from, at) + String.fromCharCode(code)
    from = at + 3
  }
  return decoded + path.slice(from)
}

function ambiguous(detail: string): Refusal {
  return refuse('component-missing', detail)
}
