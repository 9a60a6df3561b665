import type { Message, RequestMessage } from '../../message/message.ts'
import { normalizeAuthority } from '../../message/target.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Parameters } from '../../structured-fields/types.ts'
import { formDecode, percentEncoder } from '../../text/percent.ts'

type DerivedReader = (message: Message) => string | Refusal

/** Gives the reader of a derived component, or `undefined` where the name or a parameter is not understood. RFC 9421 section 2.2. */
export function derivedReader(name: string, parameters: Parameters): DerivedReader | undefined {
  for (const parameter of parameters.keys()) {
    if (parameter !== 'req' && !(parameter === 'name' && name === '@query-param')) return undefined
  }
  if (name === '@status') return readStatus
  if (name === '@query-param') {
    const parameter = parameters.get('name')
    return parameter?.kind === 'string' ? ofRequest(name, queryParam(parameter.value)) : undefined
  }
  const read = ofRequests.get(name)
  return read === undefined ? undefined : ofRequest(name, read)
}

const ofRequests: ReadonlyMap<string, (request: RequestMessage) => string> = new Map([
  ['@method', (request: RequestMessage) => request.method],
  ['@target-uri', targetUri],
  ['@authority', authority],
  ['@scheme', (request: RequestMessage) => request.scheme],
  ['@request-target', (request: RequestMessage) => request.target],
  ['@path', (request: RequestMessage) => (request.parts.path === '' ? '/' : request.parts.path)],
  ['@query', (request: RequestMessage) => `?${request.parts.query ?? ''}`],
])

function ofRequest(name: string, read: (request: RequestMessage) => string | Refusal): DerivedReader {
  return (message) =>
    message.kind === 'request' ? read(message) : refuse('component-missing', `${name} belongs to requests`)
}

function readStatus(message: Message): string | Refusal {
  return message.kind === 'response'
    ? String(message.status)
    : refuse('component-missing', '@status belongs to responses')
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

/** Most parameters of a query that is taken apart. */
const maxQueryParameters = 1000

// Names and values are decoded and encoded again, all but these as %XX: the form-urlencoded percent-encode set of the WHATWG URL
// standard, a blank as %20. RFC 9421 section 2.2.8.
const encodeBarTilde = percentEncoder('*')

function encodeFormComponent(text: string): string {
  return encodeBarTilde(text).replaceAll('~', '%7E')
}

/** Query parameters by encoded name: the encoded value, or why it cannot be covered. */
type QueryParameters = ReadonlyMap<string, string | Refusal>

// By message, so that however many parameters are covered the query is taken apart once.
const queries = new WeakMap<RequestMessage, QueryParameters | Refusal>()

/** Longest query of which single parameters are covered, in characters. A longer one is covered as a whole, by `@query`. */
const maxQueryLength = 4096

/** Reads the one query parameter of an encoded name. RFC 9421 section 2.2.8. */
function queryParam(wanted: string): (request: RequestMessage) => string | Refusal {
  return (request) => {
    let parameters = queries.get(request)
    if (parameters === undefined) {
      parameters = readQuery(request.parts.query ?? '')
      queries.set(request, parameters)
    }
    if (isRefusal(parameters)) return parameters
    return parameters.get(wanted) ?? refuse('component-missing', 'a covered query parameter is not there')
  }
}

function readQuery(query: string): QueryParameters | Refusal {
  if (query.length > maxQueryLength)
    return refuse('component-missing', 'the query is too long to cover parameters of it')
  const pieces = query.split('&', maxQueryParameters + 1)
  if (pieces.length > maxQueryParameters) {
    return refuse('component-missing', `the query has over ${maxQueryParameters} parameters`)
  }
  const parameters = new Map<string, string | Refusal>()
  for (const piece of pieces) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = encoded(equals < 0 ? piece : piece.slice(0, equals))
    // A name that is not UTF-8 decodes like others that are not, so it cannot be told which was signed.
    if (name === undefined) parameters.set(encodedReplacement, notUtf8)
    else if (parameters.has(name)) parameters.set(name, repeated)
    else parameters.set(name, encoded(equals < 0 ? '' : piece.slice(equals + 1)) ?? notUtf8)
  }
  return parameters
}

const repeated = refuse('component-missing', 'a covered query parameter is there more than once')

const notUtf8 = refuse('component-missing', 'a covered query parameter is not UTF-8')
const encodedReplacement = '%EF%BF%BD'

/** Gives `undefined` for malformed UTF-8, which has many spellings that decode alike. */
function encoded(raw: string): string | undefined {
  const text = formDecode(raw)
  return text.includes('\ufffd') ? undefined : encodeFormComponent(text)
}
