import { misuse } from './failure.ts'

/** A piece of body as curl's `-d` family has it. */
export interface DataPart {
  readonly text: string
  /** `@file` and `@-` are read; `--data-raw` takes the text as it is. */
  readonly readsFile: boolean
  /** `-d` leaves out CR, LF and NUL of what it reads from a file. */
  readonly stripsLineBreaks: boolean
  readonly isJson: boolean
}

/** Arguments of curl, sorted into what is signed and what is handed on. */
export interface CurlArguments {
  readonly url: string
  readonly method: string | undefined
  readonly head: boolean
  readonly headers: readonly string[]
  readonly data: readonly DataPart[]
  /** Whether the body of an error response is to be hidden (`-f`). */
  readonly fails: boolean
  readonly passed: readonly string[]
  /** Those of `passed` that change what curl prints. */
  readonly shaping: readonly string[]
}

type Kind = 'flag' | 'value' | 'shaping-flag' | 'shaping-value' | 'read' | 'read-flag' | 'ignored'

const short: Readonly<Record<string, string>> = {
  '#': 'progress-bar',
  4: 'ipv4',
  6: 'ipv6',
  D: 'dump-header',
  E: 'cert',
  F: 'form',
  G: 'get',
  H: 'header',
  I: 'head',
  K: 'config',
  L: 'location',
  N: 'no-buffer',
  O: 'remote-name',
  S: 'show-error',
  T: 'upload-file',
  X: 'request',
  b: 'cookie',
  d: 'data',
  f: 'fail',
  g: 'globoff',
  i: 'include',
  k: 'insecure',
  m: 'max-time',
  n: 'netrc',
  o: 'output',
  s: 'silent',
  u: 'user',
  v: 'verbose',
  w: 'write-out',
  x: 'proxy',
}

const kinds: Readonly<Record<string, Kind>> = {
  request: 'read',
  header: 'read',
  data: 'read',
  'data-ascii': 'read',
  'data-binary': 'read',
  'data-raw': 'read',
  json: 'read',
  url: 'read',
  head: 'read-flag',
  fail: 'read-flag',
  // Always on here: the target is sent as it was signed.
  globoff: 'ignored',
  'path-as-is': 'ignored',
  'fail-with-body': 'ignored',
  silent: 'flag',
  'show-error': 'flag',
  'no-progress-meter': 'flag',
  insecure: 'flag',
  ipv4: 'flag',
  ipv6: 'flag',
  compressed: 'flag',
  'http1.1': 'flag',
  http2: 'flag',
  'tlsv1.2': 'flag',
  'tlsv1.3': 'flag',
  'no-keepalive': 'flag',
  'max-time': 'value',
  'connect-timeout': 'value',
  cacert: 'value',
  capath: 'value',
  cert: 'value',
  'cert-type': 'value',
  key: 'value',
  'key-type': 'value',
  resolve: 'value',
  'connect-to': 'value',
  proxy: 'value',
  noproxy: 'value',
  interface: 'value',
  'limit-rate': 'value',
  'unix-socket': 'value',
  verbose: 'shaping-flag',
  include: 'shaping-flag',
  'progress-bar': 'shaping-flag',
  'no-buffer': 'shaping-flag',
  'remote-name': 'shaping-flag',
  'trace-time': 'shaping-flag',
  output: 'shaping-value',
  'write-out': 'shaping-value',
  'dump-header': 'shaping-value',
  stderr: 'shaping-value',
  trace: 'shaping-value',
  'trace-ascii': 'shaping-value',
}

const another = 'it sends another request than the one that was signed'
const authorization = 'it writes Authorization itself, in place of the signature'
const asField = 'it changes fields behind the signature; give the field with -H'

/** Arguments that alter what is signed, and what to do instead. */
const refusals: Readonly<Record<string, string>> = {
  location: 'a redirect has to be signed anew; sign and send to its target yourself',
  user: authorization,
  netrc: authorization,
  digest: authorization,
  ntlm: authorization,
  negotiate: authorization,
  'oauth2-bearer': authorization,
  'aws-sigv4': authorization,
  cookie: asField,
  'user-agent': asField,
  referer: asField,
  range: asField,
  form: 'it draws its boundary after the signature; make the body first, then --data-binary @file',
  'upload-file': 'use -X PUT --data-binary @file',
  get: 'it moves the data into the URL; write the query into the URL',
  'data-urlencode': 'encode the data first, then --data-raw',
  config: 'it may hold anything; give the arguments themselves',
  next: another,
  parallel: another,
  retry: 'a repeated request has to be signed anew, or it is refused as a replay',
}

/**
 * Sorts curl's arguments. Only those that are known to leave the signed request alone are handed on.
 * @throws Failure that names the argument and says what to do instead
 */
export function sortCurlArguments(args: readonly string[]): CurlArguments {
  const urls: string[] = []
  const headers: string[] = []
  const data: DataPart[] = []
  const passed: string[] = []
  const shaping: string[] = []
  const flags = new Set<string>()
  let method: string | undefined
  for (const { name, value, spelled } of split(args)) {
    const kind = kinds[name]
    if (kind === 'flag' || kind === 'shaping-flag') passed.push(`--${name}`)
    if (kind === 'value' || kind === 'shaping-value') passed.push(`--${name}`, value)
    if (kind === 'shaping-flag' || kind === 'shaping-value') shaping.push(spelled)
    if (kind === 'read-flag') flags.add(name)
    if (name === 'url') urls.push(value)
    else if (name === 'request') method = value
    else if (name === 'header') headers.push(value)
    else if (kind === 'read') data.push(dataPart(name, value))
  }
  const [url, ...more] = urls
  if (url === undefined) throw misuse('curl: no URL')
  if (more.length > 0) throw misuse('curl: one request is signed at a time; there is more than one URL')
  return { url, method, headers, data, passed, shaping, head: flags.has('head'), fails: flags.has('fail') }
}

interface Argument {
  readonly name: string
  readonly value: string
  readonly spelled: string
}

function* split(args: readonly string[]): Generator<Argument> {
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? ''
    if (!argument.startsWith('-') || argument === '-') {
      yield { name: 'url', value: argument, spelled: argument }
    } else if (argument.startsWith('--')) {
      const name = argument.slice(2)
      const takes = takesValue(name, argument)
      if (takes) i++
      yield { name, value: takes ? valueAt(args, i, argument) : '', spelled: argument }
    } else {
      // Letters may stand together, the last of them with its value behind: -sSo file, -XPOST.
      for (let at = 1; at < argument.length; at++) {
        const spelled = `-${argument.charAt(at)}`
        const name = short[argument.charAt(at)] ?? ''
        if (!takesValue(name, spelled)) {
          yield { name, value: '', spelled }
          continue
        }
        const rest = argument.slice(at + 1)
        if (rest === '') i++
        yield { name, value: rest === '' ? valueAt(args, i, spelled) : rest, spelled }
        break
      }
    }
  }
}

function takesValue(name: string, spelled: string): boolean {
  const refusal = Object.hasOwn(refusals, name) ? refusals[name] : undefined
  if (refusal !== undefined) throw misuse(`curl ${spelled}: ${refusal}`)
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (kind === undefined) {
    throw misuse(`curl ${spelled}: not known to leave the signed request as it is, so it is not handed on`)
  }
  return kind === 'value' || kind === 'shaping-value' || kind === 'read'
}

function valueAt(args: readonly string[], i: number, spelled: string): string {
  const value = args[i]
  if (value === undefined) throw misuse(`curl ${spelled}: its value is missing`)
  return value
}

function dataPart(name: string, text: string): DataPart {
  return {
    text,
    readsFile: name !== 'data-raw' && text.startsWith('@'),
    stripsLineBreaks: name === 'data' || name === 'data-ascii',
    isJson: name === 'json',
  }
}
