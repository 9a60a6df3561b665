import type { Message } from '../../message/message.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'
import { parseItem } from '../../structured-fields/parse.ts'
import { serializeParameters } from '../../structured-fields/serialize.ts'
import { noParameters, type Parameters } from '../../structured-fields/types.ts'
import { derivedReader } from './derived.ts'
import { fieldReader } from './field.ts'
import type { Reading } from './reading.ts'

/** One covered component: its identifier, and how its value is read from a message. RFC 9421 section 2. */
export interface Component {
  /** Identifier as in policies and claims: the bare name where it has no parameters, else as serialised. */
  readonly id: string
  /** What stands in front of the value in a base: the serialised identifier, a colon and a space. */
  readonly prefix: string
  /** Identifier with its parameters in alphabetical order: two components are one where these are equal. RFC 9421 section 2. */
  readonly identity: string
  /** Whether it is the Content-Digest field of this message, in whatever form. */
  readonly isContentDigest: boolean
  readonly read: ComponentReader
}

/** Gives the value of a component of a message, or why there is none. */
export type ComponentReader = (message: Message, reading: Reading) => string | Refusal

/** Most covered components of one signature. */
export const maxComponents = 32

/** Gives the component of a name and parameters, or `undefined` where the name or a parameter is not understood. */
export function componentOf(name: string, parameters: Parameters = noParameters): Component | undefined {
  const fromRequest = parameters.get('req')
  if (fromRequest !== undefined && !(fromRequest.kind === 'boolean' && fromRequest.value)) return undefined
  // Names that begin with @ are never read from fields, whatever an adapter lets through. RFC 9421 section 7.5.1.
  const read = name.charCodeAt(0) === 64 ? derivedReader(name, parameters) : fieldReader(name, parameters)
  if (read === undefined) return undefined
  const quoted = `"${name}"`
  const text = parameters.size === 0 ? quoted : quoted + serializeParameters(parameters)
  return {
    id: parameters.size === 0 ? name : text,
    prefix: `${text}: `,
    identity: parameters.size < 2 ? text : quoted + serializeParameters(sorted(parameters)),
    isContentDigest: name === 'content-digest' && fromRequest === undefined && !parameters.has('tr'),
    read: fromRequest === undefined ? read : (message, reading) => readFromRequest(read, message, reading),
  }
}

function sorted(parameters: Parameters): Parameters {
  return new Map([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** RFC 9421 section 2.4: `req` stands in a signature of a response and means the request that it answers. */
function readFromRequest(read: ComponentReader, message: Message, reading: Reading): string | Refusal {
  if (message.kind === 'request')
    return refuse('component-missing', 'req stands only in signatures of responses')
  return message.request === undefined
    ? refuse('component-missing', 'a component of the request is covered, and the request is not at hand')
    : read(message.request, reading)
}

/** Gives the component of an identifier as options and policies write it: a bare name, or `"name";parameter`. */
export function componentFromId(id: string): Component | undefined {
  if (!id.startsWith('"')) return componentOf(id)
  const parsed = parseItem(id, { onDuplicate: 'refuse' })
  return parsed.ok && parsed.value.kind === 'string'
    ? componentOf(parsed.value.value, parsed.value.parameters)
    : undefined
}
