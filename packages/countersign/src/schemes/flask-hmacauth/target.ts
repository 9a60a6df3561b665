import { hexValue } from '../../bytes/hex.ts'
import { utf8Decode, utf8DecodeLossy } from '../../bytes/utf8.ts'
import type { TargetParts } from '../../message/target.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import { percentEncoder } from '../../text/percent.ts'
import { wsgiPath } from '../wsgi-path.ts'
import type { FlaskHmacauthForm } from './options.ts'

/** A target as the original rebuilds it from what its framework has decoded. This is what is signed. */
export interface RebuiltTarget {
  /** Path, `?` (also where there is no query), query. */
  readonly text: string
  /** Forms that were evened out on the way. Each has to be admitted. */
  readonly evened: readonly FlaskHmacauthForm[]
  /** Whether the target was sent as it is signed. */
  readonly asSent: boolean
}

// What Werkzeug 2.2 leaves bare in a path.
const quotePath = percentEncoder("!$'()*+,:;/")
// Escapes of these characters are undone in a query, all others kept as they were sent.
const unescaped = /[A-Za-z0-9\-._~!$'()*+,;]/
// These are escaped in a query where they stand bare.
const escaped = /["/<>?@[\\\]^`{|}]/

/** Rebuilds a request target as Werkzeug 2.2 does. Refuses what the original answers with an error. Linear in the target. */
export function rebuildTarget({ form, path, query }: TargetParts): RebuiltTarget | Refusal {
  if (form !== 'origin' && form !== 'absolute') {
    return refuse('component-missing', 'this scheme signs targets that have a path')
  }
  const decoded = wsgiPath(path)
  if (isRefusal(decoded)) return decoded
  const rebuilt = rebuildQuery(query ?? '')
  if (isRefusal(rebuilt)) return rebuilt
  const evened: FlaskHmacauthForm[] = [...decoded.evened]
  if (rebuilt.hasSeparator && !evened.includes('escaped-separators')) evened.push('escaped-separators')
  const quoted = quotePath(decoded.text)
  // The original takes the URL apart by a rule of old, which cuts parameters off the last segment.
  const semicolon = quoted.indexOf(';', quoted.lastIndexOf('/'))
  if (semicolon >= 0) evened.push('path-parameters')
  const signedPath = semicolon < 0 ? quoted : quoted.slice(0, semicolon)
  return {
    text: `${signedPath}?${rebuilt.text}`,
    evened,
    asSent: signedPath === path && rebuilt.text === (query ?? ''),
  }
}

/** Tells whether a byte, as the first of a body, could also stand in a rebuilt query. */
export function isQueryByte(byte: number): boolean {
  const character = String.fromCharCode(byte)
  return (
    unescaped.test(character) || character === '&' || character === '%' || character === '=' || byte === 58
  )
}

interface RebuiltQuery {
  readonly text: string
  readonly hasSeparator: boolean
}

function rebuildQuery(query: string): RebuiltQuery | Refusal {
  let text = ''
  let hasSeparator = false
  let isMalformed = false
  let isUndone = false
  for (let i = 0; i < query.length; i++) {
    const character = query.charAt(i)
    if (character !== '%') {
      text += escaped.test(character) ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : character
      continue
    }
    const byte = escapeAt(query, i)
    if (byte < 0) {
      isMalformed = true
      text += '%'
    } else if (byte > 127) {
      const end = endOfRun(query, i)
      if (hasUtf8(query, i, end)) {
        return refuse(
          'component-missing',
          'the query has an escape beyond ASCII, which the original cannot sign',
        )
      }
      text += query.slice(i, end)
      i = end - 1
    } else {
      const plain = String.fromCharCode(byte)
      const undoes = unescaped.test(plain)
      isUndone ||= undoes
      hasSeparator ||= plain === '+' || plain === ';'
      text += undoes ? plain : query.slice(i, i + 3)
      i += 2
    }
  }
  // `%2%35` would be signed as `%25`, which means something else.
  if (isMalformed && isUndone) {
    return refuse('component-missing', 'the query has a malformed escape beside one that is signed decoded')
  }
  return { text, hasSeparator }
}

/** The byte of the escape at a position, or -1 where there is none. */
function escapeAt(query: string, at: number): number {
  if (query.charCodeAt(at) !== 37) return -1
  const high = hexValue(query.charCodeAt(at + 1))
  const low = hexValue(query.charCodeAt(at + 2))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function endOfRun(query: string, start: number): number {
  let end = start
  while (escapeAt(query, end) > 127) end += 3
  return end
}

/** Tells whether escapes beyond ASCII hold any well-formed UTF-8. What is malformed throughout is signed as sent. */
function hasUtf8(query: string, start: number, end: number): boolean {
  const bytes = new Uint8Array((end - start) / 3)
  for (let i = 0; i < bytes.length; i++) bytes[i] = escapeAt(query, start + 3 * i)
  return utf8Decode(bytes) !== undefined || /[^\ufffd]/.test(utf8DecodeLossy(bytes))
}
