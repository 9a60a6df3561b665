import { base64Encode } from '../../bytes/base64.ts'
import {
  type FieldLines,
  fieldValues,
  isFieldName,
  trimBlanks,
  usualFieldName,
} from '../../message/field-lines.ts'
import type { Message } from '../../message/message.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'
import { parseDictionary, parseItem, parseList } from '../../structured-fields/parse.ts'
import {
  serializeDictionary,
  serializeItem,
  serializeList,
  serializeMember,
} from '../../structured-fields/serialize.ts'
import type { Parameters } from '../../structured-fields/types.ts'

/** Structured type of a field. RFC 9651 section 3. */
export type StructuredType = 'item' | 'list' | 'dictionary'

/** Structured types by lower-case field name. A field that is not listed cannot be covered with `sf` or `key`. */
export type StructuredTypes = ReadonlyMap<string, StructuredType>

type FieldReader = (message: Message, types: StructuredTypes) => string | Refusal

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
  if (key?.kind === 'string') return (message, types) => readMember(linesOf(message), name, key.value, types)
  if (parameters.has('sf')) return (message, types) => readStructured(linesOf(message), name, types)
  if (parameters.has('bs')) return (message) => readBinary(linesOf(message), name)
  const usualName = usualFieldName(name)
  return (message) => readPlain(linesOf(message), name, usualName)
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

function readPlain(lines: FieldLines, name: string, usualName: string): string | Refusal {
  let value: string | undefined
  for (let i = 0; i + 1 < lines.length; i += 2) {
    if (!isFieldName(lines[i] ?? '', name, usualName)) continue
    const line = trimBlanks(lines[i + 1] ?? '')
    if (value === undefined) value = line
    else if (singleFields.has(name))
      return refuse('component-missing', `the field ${name} is there more than once`)
    else value += `, ${line}`
  }
  if (value === undefined) return absent(name)
  if (plainValue.test(value)) return value
  // Obsolete line folding becomes one space. RFC 9421 section 2.1.
  const unfolded = value.replace(/[ \t]*\r\n[ \t]+/g, ' ')
  return plainValue.test(unfolded)
    ? unfolded
    : refuse('component-missing', `the field ${name} has a character that is not visible ASCII`)
}

/** RFC 9421 section 2.1.1. */
function readStructured(lines: FieldLines, name: string, types: StructuredTypes): string | Refusal {
  const values = fieldValues(lines, name)
  if (values.length === 0) return absent(name)
  switch (types.get(name)) {
    case 'item': {
      const parsed = parseItem(values)
      return parsed.ok ? serializeItem(parsed.value) : unparsable(name)
    }
    case 'list': {
      const parsed = parseList(values)
      return parsed.ok ? serializeList(parsed.value) : unparsable(name)
    }
    case 'dictionary': {
      const parsed = parseDictionary(values)
      return parsed.ok ? serializeDictionary(parsed.value) : unparsable(name)
    }
    case undefined:
      return refuse('component-missing', `the structured type of the field ${name} is not known`)
  }
}

/** RFC 9421 section 2.1.2. A key given twice has two readings and is refused. */
function readMember(lines: FieldLines, name: string, key: string, types: StructuredTypes): string | Refusal {
  const values = fieldValues(lines, name)
  if (values.length === 0) return absent(name)
  if (types.get(name) !== 'dictionary')
    return refuse('component-missing', `the field ${name} is not known to be a dictionary`)
  const parsed = parseDictionary(values, { onDuplicate: 'refuse' })
  if (!parsed.ok) return unparsable(name)
  const member = parsed.value.get(key)
  return member === undefined
    ? refuse('component-missing', `a covered member of ${name} is not there`)
    : serializeMember(member)
}

/** RFC 9421 section 2.1.3. Each character of a value is one byte. */
function readBinary(lines: FieldLines, name: string): string | Refusal {
  const values = fieldValues(lines, name)
  if (values.length === 0) return absent(name)
  return values.map((value) => `:${base64Encode(Uint8Array.from(value, (c) => c.charCodeAt(0)))}:`).join(', ')
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

/**
 * Fields that hold one value. Two lines of these have no agreed meaning, and joining them would let a second line ride on the
 * signature of the first. RFC 9421 section 7.5.6.
 */
const singleFields: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-location',
  'content-type',
  'date',
  'digest',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'set-cookie',
  'user-agent',
])

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
