import { base64Decode } from '../bytes/base64.ts'
import { hexValue } from '../bytes/hex.ts'
import { utf8Decode } from '../bytes/utf8.ts'
import { isOf, tokenRest, tokenStart } from './characters.ts'
import type { Cursor } from './cursor.ts'
import { fail, peek } from './cursor.ts'
import type { BareItem } from './types.ts'

const quote = 34
const percent = 37
const minus = 45
const point = 46
const colon = 58
const backslash = 92

/** True, which is also the value of a parameter key that stands alone. RFC 9651 section 4.2.3.2. */
export const bareTrue: BareItem = Object.freeze({ kind: 'boolean', value: true })
const bareFalse: BareItem = Object.freeze({ kind: 'boolean', value: false })

/** Parses a bare item, or gives `undefined` with the problem noted on the cursor. RFC 9651 section 4.2.3.1. */
export function parseBareItem(cursor: Cursor): BareItem | undefined {
  const code = peek(cursor)
  if (code === quote) {
    const value = parseString(cursor)
    return value === undefined ? undefined : { kind: 'string', value }
  }
  if (code === minus || isDigit(code)) return parseNumber(cursor)
  if (isOf(tokenStart, code)) return parseToken(cursor)
  if (code === colon) return parseByteSequence(cursor)
  if (code === 63) return parseBoolean(cursor)
  if (code === 64) return parseDate(cursor)
  if (code === percent) return parseDisplayString(cursor)
  return fail(cursor, cursor.at, 'expected a value')
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** RFC 9651 section 4.2.5. */
function parseString(cursor: Cursor): string | undefined {
  const { text } = cursor
  let unescaped = ''
  let from = cursor.at + 1
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      cursor.at = at + 1
      return from === at ? unescaped : unescaped + text.slice(from, at)
    }
    if (code === backslash) {
      const next = at + 1 < text.length ? text.charCodeAt(at + 1) : -1
      if (next !== quote && next !== backslash) return fail(cursor, at, 'expected \\" or \\\\ in a string')
      unescaped += text.slice(from, at)
      from = ++at
    } else if (code < 32 || code > 126) return fail(cursor, at, 'expected printable ASCII in a string')
  }
  return fail(cursor, text.length, 'expected the closing quote of a string')
}

/** RFC 9651 section 4.2.4. Zero has no sign once parsed: the serialised form of -0 is 0. */
function parseNumber(cursor: Cursor): BareItem | undefined {
  const { text } = cursor
  const negative = text.charCodeAt(cursor.at) === minus
  const first = negative ? cursor.at + 1 : cursor.at
  const end = endOfDigits(text, first, 15)
  const count = end - first
  if (count === 0) return fail(cursor, first, 'expected a digit')
  const whole = digitsValue(text, first, end, 0)
  if (end === text.length || text.charCodeAt(end) !== point) {
    if (end < text.length && isDigit(text.charCodeAt(end)))
      return fail(cursor, end, 'expected at most 15 digits')
    cursor.at = end
    return { kind: 'integer', value: negative && whole !== 0 ? -whole : whole }
  }
  if (count > 12) return fail(cursor, end, 'expected at most 12 digits before the decimal point')
  const places = endOfDigits(text, end + 1, 3) - end - 1
  const last = end + 1 + places
  if (places === 0) return fail(cursor, last, 'expected a digit behind the decimal point')
  if (last < text.length && isDigit(text.charCodeAt(last)))
    return fail(cursor, last, 'expected at most 3 digits behind the decimal point')
  cursor.at = last
  // Both operands are exact (15 digits at most), so the quotient is the double nearest to the decimal written.
  const value = digitsValue(text, end + 1, last, whole) / (places === 1 ? 10 : places === 2 ? 100 : 1000)
  return { kind: 'decimal', value: negative && value !== 0 ? -value : value }
}

/** Where a run of digits ends, looking at no more than `limit` of them. */
function endOfDigits(text: string, from: number, limit: number): number {
  const stop = Math.min(text.length, from + limit)
  let at = from
  while (at < stop && isDigit(text.charCodeAt(at))) at++
  return at
}

function digitsValue(text: string, from: number, end: number, before: number): number {
  let value = before
  for (let at = from; at < end; at++) value = value * 10 + text.charCodeAt(at) - 48
  return value
}

/** RFC 9651 section 4.2.6. */
function parseToken(cursor: Cursor): BareItem {
  const { text, at } = cursor
  let end = at + 1
  while (end < text.length && isOf(tokenRest, text.charCodeAt(end))) end++
  cursor.at = end
  return { kind: 'token', value: text.slice(at, end) }
}

/** RFC 9651 section 4.2.7. */
function parseByteSequence(cursor: Cursor): BareItem | undefined {
  const from = cursor.at + 1
  const end = cursor.text.indexOf(':', from)
  if (end < 0) return fail(cursor, cursor.text.length, 'expected the closing colon of a byte sequence')
  const encoded = cursor.text.slice(from, end)
  const value = cursor.strictBase64 ? base64Decode(encoded) : decodeLeniently(encoded)
  if (value === undefined) return fail(cursor, from, 'expected base64 in a byte sequence')
  cursor.at = end + 1
  return { kind: 'byte-sequence', value }
}

// As `atob` does: all padding or none, pad bits as they may. The data is filled up with zero bits to whole groups,
// so that the strict decoder sees no pad bits; what the filling adds is cut off.
// One character too many cannot be filled up, and is refused for its length.
function decodeLeniently(encoded: string): Uint8Array | undefined {
  let end = encoded.length
  if (end % 4 === 0 && encoded.endsWith('=')) end -= encoded.endsWith('==') ? 2 : 1
  const filled = encoded.slice(0, end) + 'AA'.slice(0, (4 - (end % 4)) % 4)
  return base64Decode(filled)?.slice(0, Math.floor((end * 3) / 4))
}

/** RFC 9651 section 4.2.8. */
function parseBoolean(cursor: Cursor): BareItem | undefined {
  cursor.at++
  const code = peek(cursor)
  if (code !== 48 && code !== 49) return fail(cursor, cursor.at, 'expected 0 or 1 behind ?')
  cursor.at++
  return code === 49 ? bareTrue : bareFalse
}

/** RFC 9651 section 4.2.9. */
function parseDate(cursor: Cursor): BareItem | undefined {
  const from = ++cursor.at
  const seconds = parseNumber(cursor)
  if (seconds === undefined) return undefined
  if (seconds.kind !== 'integer') return fail(cursor, from, 'expected whole seconds behind @')
  return { kind: 'date', value: seconds.value }
}

/** RFC 9651 section 4.2.10. */
function parseDisplayString(cursor: Cursor): BareItem | undefined {
  const { text } = cursor
  const from = cursor.at + 2
  if (from > text.length || text.charCodeAt(from - 1) !== quote)
    return fail(cursor, from - 1, 'expected a quote behind %')
  const bytes: number[] = []
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const value = utf8Decode(Uint8Array.from(bytes))
      if (value === undefined) return fail(cursor, from, 'expected UTF-8 in a display string')
      cursor.at = at + 1
      return { kind: 'display-string', value }
    }
    if (code === percent) {
      const byte = at + 2 < text.length ? lowerHexPair(text.charCodeAt(at + 1), text.charCodeAt(at + 2)) : -1
      if (byte < 0) return fail(cursor, at, 'expected two lower-case hex digits behind %')
      bytes.push(byte)
      at += 2
    } else if (code < 32 || code > 126) {
      return fail(cursor, at, 'expected printable ASCII in a display string')
    } else bytes.push(code)
  }
  return fail(cursor, text.length, 'expected the closing quote of a display string')
}

// Upper-case digits are refused by the RFC, so that one text has one spelling.
function lowerHexPair(high: number, low: number): number {
  const isUpper = (code: number): boolean => code >= 65 && code <= 70
  if (isUpper(high) || isUpper(low) || hexValue(high) < 0 || hexValue(low) < 0) return -1
  return hexValue(high) * 16 + hexValue(low)
}
