import type { Claim } from 'countersign'
import { isIdentityName, plainName } from './identity.ts'

type Fate = 'hop' | 'connection' | 'length' | 'forwarded' | 'override'

// The standard list, and never what a client's Connection field adds to it. RFC 9110 section 7.6.1.
const fates: ReadonlyMap<string, Fate> = new Map<string, Fate>([
  ...[
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy-authorization',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
    // Answered here, since the content is read before the upstream is asked. RFC 9110 section 10.1.1.
    'expect',
  ].map((name): [string, Fate] => [name, 'hop']),
  ['connection', 'connection'],
  ['content-length', 'length'],
  ...[
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-port',
    'x-forwarded-prefix',
    'x-forwarded-proto',
    'x-forwarded-scheme',
    'x-forwarded-server',
    'x-forwarded-ssl',
    'x-forwarded-method',
    'x-forwarded-uri',
    'x-real-ip',
  ].map((name): [string, Fate] => [name, 'forwarded']),
  // What makes a service act on another method or path than the signed one; kept only where it is signed too.
  ...[
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'x-original-method',
    'x-original-uri',
    'x-original-url',
    'x-rewrite-url',
  ].map((name): [string, Fate] => [name, 'override']),
])

const connectionTokens = new Set([
  'close',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-connection',
])

/** What is needed to pass request fields on. */
export interface PassedRequest {
  readonly method: string
  /** As received: name, value, name, value. */
  readonly fields: readonly string[]
  /** The accepted claim; `undefined` where the request passes unverified. */
  readonly claim: Claim | undefined
  /** Address of the peer. */
  readonly peer: string
  /** Whether the peer is a trusted proxy, whose `X-Forwarded-*` fields are kept. */
  readonly trusted: boolean
  readonly scheme: 'http' | 'https'
  readonly authority: string
  /** Length to announce upstream; `undefined` where there is no content, or it goes in chunks. */
  readonly contentLength: number | undefined
}

/**
 * Gives the field lines for the upstream: end-to-end fields as received, in order; hop-by-hop and identity fields gone; those that
 * say where a request came from replaced, unless a trusted proxy sent them. Gives a text where this would change what was signed.
 */
export function upstreamFields(request: PassedRequest): string[] | string {
  const { fields, trusted } = request
  const covered = coveredNames(request.claim)
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const value = fields[i + 1] ?? ''
    const plain = plainName(name)
    const fate = fates.get(plain)
    if (fate === undefined) {
      if (!isIdentityName(plain)) kept.push(name, value)
      else if (covered.has(name.toLowerCase())) return `the covered field ${plain} is set by the gateway`
      continue
    }
    const isCovered = covered.has(name.toLowerCase())
    if (fate === 'override') {
      if (isCovered) kept.push(name, value)
    } else if (fate === 'length') {
      // Framed anew: the same number in the same spelling, or what was signed would not arrive.
      if (isCovered && !arrivesAs(value, request))
        return 'the covered Content-Length cannot be passed on as it is'
    } else if (fate === 'forwarded') {
      if (trusted) kept.push(name, value)
      else if (isCovered) return `the covered field ${plain} is set by the gateway`
    } else if (isCovered) {
      return `the covered field ${plain} ends at this hop`
    }
  }
  if (request.contentLength !== undefined) kept.push('Content-Length', String(request.contentLength))
  return appendOrigin(kept, request)
}

/** Says why the `Connection` fields of a request are not accepted: they name a field that is not hop-by-hop. */
export function connectionProblem(fields: readonly string[]): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue
    for (const token of (fields[i + 1] ?? '').split(',')) {
      const option = token.trim().toLowerCase()
      if (option !== '' && !connectionTokens.has(option))
        return 'Connection names a field that is not hop-by-hop'
    }
  }
  return undefined
}

/** Gives the field lines of an upstream's answer for the client: as received, without hop-by-hop and identity fields. */
export function clientFields(fields: readonly string[]): string[] {
  const dropped = new Set<string>()
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if ((fields[i] ?? '').toLowerCase() !== 'connection') continue
    for (const token of (fields[i + 1] ?? '').split(',')) dropped.add(token.trim().toLowerCase())
  }
  // An upstream that names its own framing or cookies there is not obeyed to the letter.
  for (const name of ['content-length', 'content-type', 'set-cookie', 'cache-control']) dropped.delete(name)
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const plain = plainName(name)
    const fate = fates.get(plain)
    if (fate === 'hop' || fate === 'connection' || isIdentityName(plain) || dropped.has(plain)) continue
    kept.push(name, fields[i + 1] ?? '')
  }
  return kept
}

const noNames: ReadonlySet<string> = new Set()

function coveredNames(claim: Claim | undefined): ReadonlySet<string> {
  if (claim === undefined) return noNames
  const names = new Set<string>()
  for (const component of claim.covers) {
    // `"name";param` in the spelling of RFC 9421, or the bare name.
    const end = component.indexOf('"', 1)
    const name =
      component.startsWith('"') && end > 0 ? component.slice(1, end) : (component.split(';')[0] ?? '')
    if (!name.startsWith('@')) names.add(name.toLowerCase())
  }
  return names
}

// Methods whose empty content the HTTP client announces with `Content-Length: 0`; for others it leaves the field out.
const announcesEmptyContent = new Set(['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH'])

function arrivesAs(value: string, request: PassedRequest): boolean {
  if (value !== String(request.contentLength)) return false
  return value !== '0' || announcesEmptyContent.has(request.method)
}

function appendOrigin(kept: string[], request: PassedRequest): string[] {
  kept.push('X-Forwarded-For', request.peer)
  if (!request.trusted) {
    kept.push('X-Forwarded-Proto', request.scheme, 'X-Forwarded-Host', request.authority)
  }
  return kept
}
