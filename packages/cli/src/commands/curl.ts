import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Command } from 'commander'
import type { RequestMessage, Signer } from 'countersign'
import { type CurlArguments, type DataPart, sortCurlArguments } from '../curl-arguments.ts'
import { type ConfigLine, configText, namelessFile } from '../curl-config.ts'
import { Failure, misuse } from '../failure.ts'
import type { Result } from '../output.ts'
import { limitBytes, readInput } from '../read-input.ts'
import { readHeader, requestAt } from '../request-options.ts'
import type { Session } from '../session.ts'
import { addSigningOptions, type SigningFlags, signerFrom } from '../signing-options.ts'
import type { World } from '../world.ts'

type CurlFlags = SigningFlags & { readonly json?: boolean }

const examples = `
Examples:
  $ export COUNTERSIGN_SECRET=...
  $ countersign curl --key billing https://api.example.com/invoices -i
  $ countersign curl --key billing https://api.example.com/invoices -d '{"a":1}' -H 'Content-Type: application/json'
  $ countersign curl --key legacy --scheme ustudio-hmac http://localhost:8080/videos -X DELETE -v

Options of countersign stand before the URL, those of curl behind it. Arguments that would alter the signed request
(-L, -u, -F, -b and others) are refused. ~/.curlrc is not read.
Exit code: 0 answered, 1 answered with a status of 400 or more, 2 not sent.
`

/** Adds `countersign curl`: signs a request and sends it with the system's curl. */
export function addCurl(program: Command, session: Session): void {
  const command = program
    .command('curl')
    .summary('sign a request and send it with curl')
    .description("Signs a request and sends it with the system's curl.")
    .argument('<arguments...>', 'URL and arguments of curl')
    .passThroughOptions()
    .allowUnknownOption()
  addSigningOptions(command)
    .option('--json', 'print JSON; behind the URL it is that of curl')
    .addHelpText('after', examples)
    .action((args: readonly string[], flags: CurlFlags) =>
      session.report((world) => signAndSend(sortCurlArguments(args), flags, world)),
    )
}

async function signAndSend(args: CurlArguments, flags: CurlFlags, world: World): Promise<Result> {
  if (flags.secretFile === '-' && args.data.some(({ readsFile, text }) => readsFile && text === '@-')) {
    throw misuse('--secret-file and the body cannot both read standard input')
  }
  if (flags.json === true && args.shaping[0] !== undefined) {
    throw misuse(`curl ${args.shaping[0]}: it shapes the output, which --json does`)
  }
  const signer = await signerFrom(flags, world)
  const body = await readData(args.data, world)
  const headers = headersOf(args)
  const method = args.method ?? (args.head ? 'HEAD' : body === undefined ? 'GET' : 'POST')
  const message = requestAt({
    url: args.url,
    method,
    headers: headers.filter(([, value]) => value !== ''),
    ...(body === undefined ? {} : { body }),
  })
  const patch = await signer.sign(message)
  const signed = patch.set.map(([name]) => name.toLowerCase())
  const joint = args.url.includes('?') ? '&' : '?'
  const url = patch.query === undefined ? args.url : `${args.url}${joint}${patch.query}`
  const send: Sending = {
    command: [
      // Must stand first: leaves ~/.curlrc unread.
      '--disable',
      '--path-as-is',
      '--globoff',
      ...args.passed,
      ...(args.fails ? ['--fail'] : ['--fail-with-body']),
      ...(method === 'HEAD' ? ['--head'] : ['--request', method]),
      // curl would wait for a 100 before a large body, and not every server answers it.
      ...(body === undefined ? [] : ['--header', 'Expect:', '--data-binary', '@-']),
      // Its meter and its complaints would mix with ours.
      ...(args.passed.includes('--progress-bar') ? [] : ['--silent', '--show-error']),
      ...(flags.json === true ? ['--write-out', '\n%{http_code} %{content_type}'] : []),
      '--config',
      `/dev/fd/${configDescriptor}`,
    ],
    // Every user of the machine sees the arguments of a process, and a signature can be sent again as long as it is fresh.
    config: configText([
      ...headers.filter(([name]) => !signed.includes(name.toLowerCase())).map(asHeader),
      ...patch.set.map(asHeader),
      ['url', Buffer.from(url)],
    ]),
    body,
  }
  return flags.json === true ? asJson(send, url, message, signer) : inherited(send, world)
}

/** What it takes to run curl. */
interface Sending {
  readonly command: readonly string[]
  readonly config: Uint8Array
  readonly body: Uint8Array | undefined
}

const configDescriptor = 3

/** Fields as curl would send them; an empty value takes a field of curl's own away. */
function headersOf({ headers, data }: CurlArguments): readonly (readonly [string, string])[] {
  const given = headers.map(readHeader)
  const has = (lowerName: string) => given.some(([name]) => name.toLowerCase() === lowerName)
  const isJson = data.some((part) => part.isJson)
  const added: [string, string][] = []
  if (data.length > 0 && !has('content-type')) {
    added.push(['Content-Type', isJson ? 'application/json' : 'application/x-www-form-urlencoded'])
  }
  if (isJson && !has('accept')) added.push(['Accept', 'application/json'])
  return [...given, ...added]
}

function asHeader([name, value]: readonly [string, string]): ConfigLine {
  // Field values are bytes, one to a character.
  return ['header', Buffer.from(`${name}:${value === '' ? '' : ` ${value}`}`, 'latin1')]
}

async function readData(parts: readonly DataPart[], world: World): Promise<Uint8Array | undefined> {
  if (parts.length === 0) return undefined
  const pieces: Uint8Array[] = []
  for (const { text, readsFile, stripsLineBreaks, isJson } of parts) {
    if (pieces.length > 0 && !isJson) pieces.push(Buffer.from('&'))
    if (!readsFile) {
      pieces.push(Buffer.from(text))
      continue
    }
    const bytes = await readInput(world, { path: text.slice(1), what: 'the body', limitBytes })
    pieces.push(stripsLineBreaks ? bytes.filter((byte) => byte !== 10 && byte !== 13 && byte !== 0) : bytes)
  }
  return Buffer.concat(pieces)
}

async function inherited(send: Sending, world: World): Promise<Result> {
  const child = startCurl(send, 'inherit')
  let complaint = ''
  let begun = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (begun + text).split(/(?<=\n)/)
    begun = lines.at(-1)?.endsWith('\n') === false ? (lines.pop() ?? '') : ''
    for (const line of lines) {
      if (isComplaint(line)) complaint = line
      else world.complain(line)
    }
    // What is drawn on one line, such as a bar, is shown as it comes.
    if (!isComplaint(begun) && !complaintStart.startsWith(begun)) {
      world.complain(begun)
      begun = ''
    }
  })
  const code = await ended(child)
  if (isComplaint(begun)) complaint = begun
  // That the answer was an error is curl's to say; where there was none, it is told below.
  if (code === refusedCode) world.complain(complaint)
  return { text: '', json: undefined, exitCode: exitCodeOf(code, complaint) }
}

const complaintStart = 'curl: ('

/** Whether a line is what curl says of its own failure. */
function isComplaint(line: string): boolean {
  return line.startsWith(complaintStart)
}

/** Starts curl with its configuration on a descriptor of its own; the body goes to its standard input. */
function startCurl({ command, config, body }: Sending, output: 'inherit' | 'pipe'): ChildProcess {
  const descriptor = namelessFile(config)
  try {
    const input = body === undefined ? 'ignore' : 'pipe'
    const child = spawn('curl', command, { stdio: [input, output, 'pipe', descriptor] })
    // curl may end before it has read everything; its exit code says why.
    child.stdin?.on('error', () => {}).end(body)
    return child
  } finally {
    closeSync(descriptor)
  }
}

async function asJson(send: Sending, url: string, message: RequestMessage, signer: Signer): Promise<Result> {
  const child = startCurl(send, 'pipe')
  const chunks: Buffer[] = []
  let length = 0
  child.stdout?.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length <= limitBytes) chunks.push(chunk)
    else child.kill()
  })
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(0, 1000)
  })
  const code = await ended(child)
  if (length > limitBytes) throw new Failure('not-sent', `the answer is over ${limitBytes} bytes`)
  const exitCode = exitCodeOf(code, complaint)
  const output = Buffer.concat(chunks)
  const end = output.lastIndexOf('\n')
  const [status, contentType] = output.toString('latin1', end + 1).split(/ (.*)/)
  const text = output.toString('utf8', 0, end)
  const isText = Buffer.from(text).equals(output.subarray(0, end))
  return {
    text: '',
    json: {
      request: { method: message.method, url, scheme: signer.scheme, keyId: signer.keyId },
      response: {
        status: Number(status),
        contentType: contentType === '' ? null : contentType,
        ...(isText ? { body: text } : { bodyBase64: output.toString('base64', 0, end) }),
      },
    },
    exitCode,
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new Failure('not-sent', 'curl cannot be run; is it installed?', { cause })),
    )
    child.on('close', resolve)
  })
}

/** curl ends with this where `--fail` or `--fail-with-body` met a status of 400 or more. */
const refusedCode = 22

function exitCodeOf(code: number | null, complaint = ''): 0 | 1 {
  if (code === 0) return 0
  if (code === refusedCode) return 1
  const said = complaint
    .trim()
    .split('\n')[0]
    ?.replace(/^curl: \(\d+\) /, '')
  const why = said === undefined || said === '' ? '' : `: ${said}`
  throw new Failure('not-sent', `curl ended with code ${code ?? 'none'}${why}`)
}
