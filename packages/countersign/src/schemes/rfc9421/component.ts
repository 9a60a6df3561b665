import { fieldCount, fieldValue } from '../../message/field-lines.ts'
import type { Message, RequestMessage } from '../../message/message.ts'
import { normalizeAuthority } from '../../message/target.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'

/** One covered component: its identifier, and how its value is read from a message. RFC 9421 section 2. */
export interface Component {
  /** Identifier as in policies and claims: the bare name where it has no parameters, else as serialised. */
  readonly id: string
  /** What stands in front of the value in a base: the serialised identifier, a colon and a space. */
  readonly prefix: string
  readonly read: (message: Message) => string | Refusal
}

/** Most covered components of one signature. */
export const maxComponents = 32

/** Gives the component of a name without parameters, or `undefined` where no such component exists. */
export function componentOf(name: string): Component | undefined {
  const prefix = `"${name}": `
  // Names that begin with @ are never read from fields, whatever an adapter lets through. RFC 9421 section 7.5.1.
  if (name.charCodeAt(0) === 64) {
    const read = derived.get(name)
    return read === undefined
      ? undefined
      : { id: name, prefix, read: (message) => ofRequest(message, name, read) }
  }
  if (!fieldName.test(name)) return undefined
  return { id: name, prefix, read: (message) => readField(message, name) }
}

// Lower case only: RFC 9421 section 2.1 wants field names lower-cased.
const fieldName = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/
const plainValue = /^[\t\x20-\x7e]*$/

/** Derived components of a request. RFC 9421 section 2.2. */
const derived: ReadonlyMap<string, (request: RequestMessage) => string> = new Map([
  ['@method', (request) => request.method],
  ['@target-uri', targetUri],
  ['@authority', authority],
  ['@scheme', (request) => request.scheme],
  ['@request-target', (request) => request.target],
  ['@path', (request) => (request.parts.path === '' ? '/' : request.parts.path)],
  ['@query', (request) => `?${request.parts.query ?? ''}`],
] satisfies [string, (request: RequestMessage) => string][])

function ofRequest(
  message: Message,
  name: string,
  read: (request: RequestMessage) => string,
): string | Refusal {
  return message.kind === 'request'
    ? read(message)
    : refuse('component-missing', `${name} belongs to requests, this is a response`)
}

/** RFC 9421 section 2.2.2, with the authority in the form of section 2.2.3. */
function targetUri(request: RequestMessage): string {
  const { form } = request.parts
  const target = form === 'origin' ? request.target : form === 'absolute' ? pathAndQuery(request) : ''
  return `${request.scheme}://${authority(request)}${target}`
}

function pathAndQuery({ parts }: RequestMessage): string {
  const path = parts.path === '' ? '/' : parts.path
  return parts.query === undefined ? path : `${path}?${parts.query}`
}

function authority(request: RequestMessage): string {
  return normalizeAuthority(request.authority, request.scheme)
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

function readField(message: Message, name: string): string | Refusal {
  const value = fieldValue(message.fields, name)
  if (value === undefined) return refuse('component-missing', `the field ${name} is covered and not there`)
  if (singleFields.has(name) && fieldCount(message.fields, name) > 1) {
    return refuse('component-missing', `the field ${name} is there more than once`)
  }
  return plainValue.test(value)
    ? value
    : refuse('component-missing', `the field ${name} has a character that is not visible ASCII`)
}
