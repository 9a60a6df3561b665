import {
  type FieldLines,
  fieldValue,
  fieldValues,
  isFieldName,
  trimBlanks,
  usualFieldName,
} from '../../message/field-lines.ts'
import type { Message } from '../../message/message.ts'
import { singleFields } from '../../message/single-fields.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import { parseDictionary, parseItem, parseList } from '../../structured-fields/parse.ts'
import {
  serializeDictionary,
  serializeItem,
  serializeList,
  serializeMember,
} from '../../structured-fields/serialize.ts'
import type { Dictionary, Parameters } from '../../structured-fields/types.ts'
import type { Reading, StructuredType, StructuredTypes } from './reading.ts'

type FieldReader = (message: Message, reading: Reading) => string | Refusal

// Lower case only: RFC 9421 section 2.1 wants field names lower-cased.
const fieldName = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/
const plainValue = /^[\t\x20-\x7e]*$/

/** Gives the reader of a field, or `undefined` where a parameter is not understood or two exclude each other. RFC 9421 section 2.1. */
export function fieldReader(name: string, parameters: Parameters): FieldReader | undefined {
  if (!fieldName.test(name)) return undefined
  for (const [parameter, item] of parameters) {
    if (
      !(flags.has(parameter) && item.kind === 'boolean' && item.value) &&
      !(parameter === 'key' && item.kind === 'string')
    ) {
      return undefined
    }
  }
  const key = parameters.get('key')
  if (parameters.has('bs') && (parameters.has('sf') || key !== undefined)) return undefined
  const linesOf = parameters.has('tr') ? trailerLines : fieldLinesOf
  if (key?.kind === 'string')
    return (message, reading) => readMember(linesOf(message), name, key.value, reading)
  if (parameters.has('sf')) return (message, reading) => readWhole(linesOf(message), name, reading)
  if (parameters.has('bs')) return (message, reading) => readBinary(linesOf(message), name, reading)
  const usualName = usualFieldName(name)
  return (message, reading) => readPlain(linesOf(message), name, usualName, reading)
}

const flags: ReadonlySet<string> = new Set(['sf', 'bs', 'tr', 'req'])

const noLines: FieldLines = []

function fieldLinesOf(message: Message): FieldLines {
  return message.fields
}

/** RFC 9421 section 2.1.4. */
function trailerLines(message: Message): FieldLines {
  return message.trailers ?? noLines
}

function readPlain(
  lines: FieldLines,
  name: string,
  usualName: string,
  { textLimit }: Reading,
): string | Refusal {
  const joined = lines.length > manyLines ? indexOf(lines).get(name) : joinLines(lines, name, usualName)
  if (joined === undefined) return absent(name)
  if (joined === repeated) return refuse('component-missing', `the field ${name} is there more than once`)
  if (joined.length > textLimit) return tooLong(name)
  if (plainValue.test(joined)) return joined
  const unfolded = unfold(joined)
  return unfolded !== undefined && plainValue.test(unfolded)
    ? unfolded
    : refuse('component-missing', `the field ${name} has a character that is not visible ASCII`)
}

/** In place of a value: a field of one value that has more than one line. No value has a line feed of its own. */
const repeated = '\n'

function joinLines(lines: FieldLines, name: string, usualName: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i + 1 < lines.length; i += 2) {
    if (isFieldName(lines[i] ?? '', name, usualName)) value = joinLine(value, lines[i + 1] ?? '', name)
  }
  return value
}

/** RFC 9421 section 2.1: without blanks around it, behind the lines before it. */
function joinLine(before: string | undefined, raw: string, name: string): string {
  const line = trimBlanks(raw)
  if (before === undefined) return line
  return before === repeated || singleFields.has(name) ? repeated : `${before}, ${line}`
}

/** Entries of field lines above which they are indexed: else 32 components would look through 128 lines each. */
const manyLines = 64

const indexes = new WeakMap<FieldLines, ReadonlyMap<string, string>>()

function indexOf(lines: FieldLines): ReadonlyMap<string, string> {
  let index = indexes.get(lines)
  if (index === undefined) {
    const values = new Map<string, string>()
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const name = (lines[i] ?? '').toLowerCase()
      values.set(name, joinLine(values.get(name), lines[i + 1] ?? '', name))
    }
    index = values
    indexes.set(lines, index)
  }
  return index
}

/** Most folds of one line; no one sends any. */
const maxFolds = 8

/** Obsolete line folding becomes one space. Piece by piece: a pattern for the blanks around it would be quadratic. RFC 9421 section 2.1. */
function unfold(value: string): string | undefined {
  if (!value.includes('\r\n')) return undefined
  const pieces = value.split('\r\n', maxFolds + 2)
  const isFolded = pieces.every(
    (piece, i) => i === 0 || piece.charCodeAt(0) === 32 || piece.charCodeAt(0) === 9,
  )
  return isFolded && pieces.length <= maxFolds + 1 ? pieces.map(trimBlanks).join(' ') : undefined
}

/** A structured field in both forms that components need; a problem is kept too, so that no field is parsed twice. */
interface ParsedField {
  /** As serialised, for `sf`. */
  readonly whole: string | Refusal
  /** Members, for `key`. A key given twice has two readings and is refused. */
  readonly members: Dictionary | Refusal
}

// By field lines, so that the signatures of one message share the parses, and they go with it.
const parsedFields = new WeakMap<FieldLines, Map<string, ParsedField>>()

/** Longest structured field that is parsed for `sf` or `key`, in characters. */
const maxStructuredLength = 4096

/** RFC 9421 section 2.1.1. */
function readWhole(lines: FieldLines, name: string, reading: Reading): string | Refusal {
  const parsed = parsedField(lines, name, reading)
  return isRefusal(parsed) ? parsed : parsed.whole
}

/** RFC 9421 section 2.1.2. */
function readMember(lines: FieldLines, name: string, key: string, reading: Reading): string | Refusal {
  const parsed = parsedField(lines, name, reading)
  if (isRefusal(parsed)) return parsed
  if (isRefusal(parsed.members)) return parsed.members
  const member = parsed.members.get(key)
  return member === undefined
    ? refuse('component-missing', `a covered member of ${name} is not there`)
    : serializeMember(member)
}

function parsedField(lines: FieldLines, name: string, { types }: Reading): ParsedField | Refusal {
  const type = types.get(name)
  if (type === undefined)
    return refuse('component-missing', `the structured type of the field ${name} is not known`)
  let ofLines = parsedFields.get(lines)
  if (ofLines === undefined) {
    ofLines = new Map()
    parsedFields.set(lines, ofLines)
  }
  const key = `${type} ${name}`
  let parsed = ofLines.get(key)
  if (parsed === undefined) {
    const value = fieldValue(lines, name)
    if (value === undefined) return absent(name)
    parsed = value.length > maxStructuredLength ? refusedField(tooLong(name)) : parseField(value, name, type)
    ofLines.set(key, parsed)
  }
  return parsed
}

function parseField(value: string, name: string, type: StructuredType): ParsedField {
  const notDictionary = refuse('component-missing', `the field ${name} is not known to be a dictionary`)
  if (type === 'item') {
    const parsed = parseItem(value)
    return { whole: parsed.ok ? serializeItem(parsed.value) : unparsable(name), members: notDictionary }
  }
  if (type === 'list') {
    const parsed = parseList(value)
    return { whole: parsed.ok ? serializeList(parsed.value) : unparsable(name), members: notDictionary }
  }
  const strict = parseDictionary(value, { onDuplicate: 'refuse' })
  if (strict.ok) return { whole: serializeDictionary(strict.value), members: strict.value }
  const lenient = parseDictionary(value)
  return {
    whole: lenient.ok ? serializeDictionary(lenient.value) : unparsable(name),
    members: unparsable(name),
  }
}

function refusedField(refusal: Refusal): ParsedField {
  return { whole: refusal, members: refusal }
}

/** RFC 9421 section 2.1.3. Each character of a value is one byte. */
function readBinary(lines: FieldLines, name: string, { textLimit }: Reading): string | Refusal {
  const values = fieldValues(lines, name)
  if (values.length === 0) return absent(name)
  const parts: string[] = []
  let length = 0
  for (const value of values) {
    length += value.length
    if (length > textLimit) return tooLong(name)
    const base64 = base64OfBytes(value)
    if (base64 === undefined)
      return refuse('component-missing', `the field ${name} has a character that is no byte`)
    parts.push(`:${base64}:`)
  }
  return parts.join(', ')
}

function base64OfBytes(value: string): string | undefined {
  try {
    return btoa(value)
  } catch {
    return undefined
  }
}

function tooLong(name: string): Refusal {
  return refuse('component-missing', `the field ${name} is too long to be covered`)
}

function absent(name: string): Refusal {
  return refuse('component-missing', `the field ${name} is covered and not there`)
}

function unparsable(name: string): Refusal {
  return refuse(
    'component-missing',
    `the field ${name} is covered as a structured field and does not parse as one`,
  )
}

/** Structured types of fields in wide use. RFC 9110, 9530, 9421, 8942, 9211, 9213, 9218. */
export const registeredTypes: StructuredTypes = new Map<string, StructuredType>([
  ['accept-ch', 'list'],
  ['accept-signature', 'dictionary'],
  ['cache-status', 'list'],
  ['cdn-cache-control', 'dictionary'],
  ['content-digest', 'dictionary'],
  ['priority', 'dictionary'],
  ['proxy-status', 'list'],
  ['repr-digest', 'dictionary'],
  ['signature', 'dictionary'],
  ['signature-input', 'dictionary'],
  ['want-content-digest', 'dictionary'],
  ['want-repr-digest', 'dictionary'],
])
