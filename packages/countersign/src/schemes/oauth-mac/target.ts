import { hexValue } from '../../bytes/hex.ts'
import type { Message } from '../../message/message.ts'
import { defaultPort } from '../../message/target.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Settings } from './options.ts'

/** What of a request is signed, line by line. */
export interface SignedTarget {
  readonly method: string
  readonly uri: string
  readonly host: string
  readonly port: string
  /** The path has an escaped slash, which is signed as a slash. */
  readonly hasEncodedSlash: boolean
}

/** Gives what of a request is signed, or a refusal where it has more than one reading. Draft-01 section 3.2.1. */
export function signedTarget(message: Message, settings: Settings): SignedTarget | Refusal {
  if (message.kind !== 'request') return refuse('component-missing', 'this scheme signs requests only')
  const method = upperCase(message.method)
  if (method === undefined)
    return ambiguous('the method mixes upper and lower case, and is signed in upper case')
  const { host, port } = hostAndPort(message.authority)
  const sentPort = port ?? defaultPort(message.scheme)
  if (settings.profile === 'draft-01') {
    return { method, uri: message.target, host: host.toLowerCase(), port: sentPort, hasEncodedSlash: false }
  }
  // The original cuts Host at its first colon: every IPv6 host would sign as "[".
  if (host.startsWith('[')) return ambiguous('this profile cannot sign an IPv6 host')
  const path = decodedPath(message.parts.path === '' ? '/' : message.parts.path)
  if (typeof path === 'string') return ambiguous(path)
  if (path.hasEncodedSlash && !settings.compatible.has('encoded-slash')) {
    return ambiguous('the path has an escaped slash, which this profile signs as a slash')
  }
  const { text: uri, hasEncodedSlash } = path
  return { method, uri, host, port: settings.port ?? sentPort, hasEncodedSlash }
}

/** Methods are signed in upper case. One in lower case is what careless clients send; a mixture is nobody's. */
function upperCase(method: string): string | undefined {
  const upper = method.toUpperCase()
  return method === upper || method === method.toLowerCase() ? upper : undefined
}

function hostAndPort(authority: string): { readonly host: string; readonly port: string | undefined } {
  const colon = authority.lastIndexOf(':')
  return colon < 0 || authority.endsWith(']')
    ? { host: authority, port: undefined }
    : { host: authority.slice(0, colon), port: authority.slice(colon + 1) }
}

/** Decodes the escapes of a path, or says what is wrong: the original fails or is ambiguous beyond printable ASCII. */
function decodedPath(path: string): { readonly text: string; readonly hasEncodedSlash: boolean } | string {
  let text = ''
  let from = 0
  let hasEncodedSlash = false
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    const high = hexValue(path.charCodeAt(at + 1))
    const low = hexValue(path.charCodeAt(at + 2))
    if (high < 0 || low < 0) return 'the path has an escape without two hex digits'
    const code = high * 16 + low
    if (code < 32 || code > 126) return 'the path has an escape of other than printable ASCII'
    if (code === 47) hasEncodedSlash = true
    text += path.slice(from, at) + String.fromCharCode(code)
    from = at + 3
  }
  return { text: text + path.slice(from), hasEncodedSlash }
}

function ambiguous(detail: string): Refusal {
  return refuse('component-missing', detail)
}
