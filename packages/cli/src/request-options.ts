import { type Command, InvalidArgumentError } from 'commander'
import { type RequestMessage, requestMessage } from 'countersign'
import { misuse } from './failure.ts'
import { isToken, readFieldLine } from './field-line.ts'
import { limitBytes, readInput } from './read-input.ts'
import { collect } from './signing-options.ts'
import type { World } from './world.ts'

/** Options that describe a request, as commander hands them over. */
export interface RequestFlags {
  readonly method?: string
  readonly header?: readonly string[]
  readonly bodyFile?: string
  readonly data?: string
}

/** Adds the options that describe a request. */
export function addRequestOptions(command: Command): Command {
  return command
    .option('-X, --method <method>', 'request method (default: GET, or POST with a body)', readMethod)
    .option('-H, --header <line>', 'field of the request as "Name: value", repeatable', collect)
    .option('--body-file <path>', 'file with the body, or - for standard input')
    .option('--data <text>', 'the body as text')
}

/**
 * Makes the request that options and URL describe.
 * @throws Failure for options that contradict each other or cannot be read.
 */
export async function requestFrom(url: string, flags: RequestFlags, world: World): Promise<RequestMessage> {
  if (flags.bodyFile !== undefined && flags.data !== undefined) {
    throw misuse('--body-file and --data exclude each other')
  }
  const body =
    flags.bodyFile === undefined
      ? flags.data
      : await readInput(world, { path: flags.bodyFile, what: 'the body', limitBytes })
  return requestAt({
    url,
    method: flags.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: (flags.header ?? []).map(readHeader),
    ...(body === undefined ? {} : { body }),
  })
}

/** A request to be signed: absolute URL, fields one by one. */
export interface RequestInput {
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string | Uint8Array
}

/**
 * Makes a request message. A Host among the fields is the authority that is sent, so it is the one that is signed.
 * @throws Failure or CountersignError that says what is wrong with it
 */
export function requestAt({ url, headers, ...rest }: RequestInput): RequestMessage {
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host')
  const [scheme = '', authority = ''] = /^([A-Za-z]+:\/\/)([^/?#]*)/.exec(url)?.slice(1) ?? []
  if (scheme === '' && hosts.length === 0) {
    throw misuse('expected an absolute URL such as https://api.example.com/path')
  }
  const signed =
    scheme === '' ? url : scheme + (hosts[0]?.[1] ?? authority) + url.slice(scheme.length + authority.length)
  const message = requestMessage({ ...rest, url: signed, headers })
  if (message.problem !== undefined) throw misuse(`the request cannot be signed: ${message.problem}`)
  return message
}

/**
 * Reads a field line.
 * @throws Failure where it is not `Name: value`
 */
export function readHeader(line: string): readonly [name: string, value: string] {
  // A field value is bytes, one to a character.
  const field = readFieldLine(Buffer.from(line).toString('latin1'))
  if (field === undefined) throw misuse('--header: expected "Name: value" on one line')
  return field
}

/** Reads a method: a token, taken as given. RFC 9110 section 9.1. */
function readMethod(text: string): string {
  if (!isToken(text)) throw new InvalidArgumentError('Expected a method such as GET.')
  return text
}
