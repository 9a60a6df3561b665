import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  CountersignError,
  type Credential,
  cavage,
  createVerifier,
  flaskHmac,
  flaskHmacauth,
  type Message,
  oauthMac,
  reasons,
  requestMessage,
  rfc9421,
  ustudioHmac,
  type Verdict,
} from 'countersign'
import { instantText, readInstant, readPositiveDuration } from '../duration.ts'
import { misuse } from '../failure.ts'
import { type HttpText, readHttpText } from '../http-text.ts'
import { facts, printable, type Result } from '../output.ts'
import { limitBytes, readInput } from '../read-input.ts'
import type { Session } from '../session.ts'
import {
  addSecretOptions,
  collect,
  flaskHmacVariants,
  readSecret,
  type SecretFlags,
  secretVariable,
} from '../signing-options.ts'
import type { World } from '../world.ts'

interface VerifyFlags extends SecretFlags {
  readonly key?: string
  readonly publicKeyFile?: string
  readonly dataDir?: string
  readonly urlScheme: 'http' | 'https'
  readonly right?: readonly string[]
  readonly cover?: readonly string[]
  readonly digest?: 'required' | 'if-covered'
  readonly maxAge?: number
  readonly at?: number
}

type Lookup = (keyId: string, scheme: string) => Credential | undefined | Promise<Credential | undefined>

const examples = `
Examples:
  $ countersign verify --key billing request.http
  $ countersign verify --key ci --public-key-file ci.pub.pem request.http
  $ countersign verify --data-dir ./data --at 2030-01-31T12:00:00Z request.http
  $ printf 'GET / HTTP/1.1\\r\\nHost: api.example.com\\r\\n...' | countersign verify --key billing -

The request is raw HTTP/1.1 text: request line, fields, an empty line, the body. At most ${limitBytes / 1_048_576} MiB.
It is judged by the time of this machine unless --at says otherwise; nonces are not recorded.
Exit code: 0 verified, 1 refused, 2 not a request or wrong options.
`

/** Adds `countersign verify`: judges a request that was written down. */
export function addVerify(program: Command, session: Session): void {
  const command = program
    .command('verify')
    .summary('judge a request written down as HTTP/1.1 text')
    .description('Verifies the signature on a request that is given as raw HTTP/1.1 text.')
    .argument('[file]', 'file with the request, or - for standard input', '-')
    .option('--key <id>', 'the one key id to accept, with the secret or public key given')
  addSecretOptions(command)
    .option('--public-key-file <path>', 'PEM file with the public key, instead of a secret')
    .option('--data-dir <path>', 'look keys up in the credentials of a gateway, instead of --key')
    .addOption(
      new Option('--url-scheme <name>', 'how the request came; the text does not say')
        .choices(['http', 'https'])
        .default('https'),
    )
    .option('--right <name>', 'with --data-dir: right that the key must have, repeatable', collect)
    .option(
      '--cover <component>',
      'component that must be signed, repeatable (default: the strict minimum)',
      collect,
    )
    .addOption(
      new Option('--digest <when>', 'whether a body needs a signed digest (default: required)').choices([
        'required',
        'if-covered',
      ]),
    )
    .option('--max-age <duration>', 'longest accepted age of a signature (default: 300s)', readMaxAge)
    .option(
      '--at <instant>',
      'judge as of this time: 2030-01-31T12:00:00Z or seconds since the epoch',
      readInstant,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((path: string, flags: VerifyFlags) => session.report((world) => verify(path, flags, world)))
}

async function verify(path: string, flags: VerifyFlags, world: World): Promise<Result> {
  if (path === '-' && flags.secretFile === '-') {
    throw misuse('the request and --secret-file cannot both read standard input')
  }
  const { find, close } = await lookup(flags, world)
  try {
    const text = readHttpText(await readInput(world, { path, what: 'the request', limitBytes }))
    const message = messageFrom(text, flags.urlScheme)
    if (typeof message === 'string') return unreadable(message)
    const { at } = flags
    const verifier = createVerifier({
      schemes: [
        rfc9421(),
        ustudioHmac(),
        flaskHmacauth(),
        // The wire does not name the one key of a plain variant.
        ...flaskHmacVariants.map((variant) =>
          flaskHmac({ variant, ...(flags.key === undefined ? {} : { keyId: flags.key }) }),
        ),
        oauthMac(),
        oauthMac({ profile: 'django-auth-mac' }),
        cavage(),
        cavage({ profile: 'flask-cavage' }),
      ],
      credentials: find,
      clock: at === undefined ? world.clock : () => at,
      policy: {
        limitBytes,
        ...(flags.maxAge === undefined ? {} : { maxAgeSeconds: flags.maxAge }),
        ...(flags.cover === undefined ? {} : { covers: flags.cover }),
        ...(flags.digest === undefined ? {} : { digest: flags.digest }),
      },
    })
    const verdict = await verifier.verify(message, { rights: flags.right ?? [] })
    return resultOf(verdict, flags.urlScheme)
  } finally {
    await close()
  }
}

async function lookup(
  flags: VerifyFlags,
  world: World,
): Promise<{ readonly find: Lookup; readonly close: () => Promise<void> }> {
  if (flags.dataDir !== undefined) {
    if (flags.key !== undefined || flags.secretFile !== undefined || flags.publicKeyFile !== undefined) {
      throw misuse('--data-dir looks keys up itself; leave out --key and where its secret is')
    }
    const { openCredentials } = await import('../data-dir.ts')
    const { credentials, close } = await openCredentials({ dataDir: flags.dataDir, mayCreate: false }, world)
    return { find: (keyId, scheme) => credentials.find(keyId, scheme), close }
  }
  if (flags.right !== undefined) throw misuse('--right needs --data-dir: a bare key has no rights')
  if (flags.key === undefined) {
    throw misuse(
      `no key: give --key <id> with --secret-file, $${secretVariable} or --public-key-file; or --data-dir`,
    )
  }
  const credential = await credentialOf(flags.key, flags, world)
  return { find: (keyId) => (keyId === credential.id ? credential : undefined), close: async () => {} }
}

async function credentialOf(id: string, flags: VerifyFlags, world: World): Promise<Credential> {
  if (flags.publicKeyFile === undefined) return { id, secret: await readSecret(flags, world) }
  if (flags.secretFile !== undefined) throw misuse('--secret-file and --public-key-file exclude each other')
  const place = { path: flags.publicKeyFile, what: 'the public key', limitBytes: 65_536 }
  const key = Buffer.from(await readInput(world, place)).toString('latin1')
  return { id, key }
}

/** Makes the message; a text where it has no unambiguous reading, which a verifier refuses. */
function messageFrom({ method, target, fields, body }: HttpText, urlScheme: string): Message | string {
  const host = fields.find(([name]) => name.toLowerCase() === 'host')?.[1]
  if (host === undefined) return 'the message has no Host'
  try {
    const url = `${urlScheme}://${host}/`
    return requestMessage({ method, url, target, headers: fields, body })
  } catch (cause) {
    if (cause instanceof CountersignError) return 'Host is not host and port'
    throw cause
  }
}

function unreadable(detail: string): Result {
  return refused(
    { reason: 'message-malformed', status: 400, detail, claim: undefined, scheme: undefined },
    undefined,
  )
}

function resultOf(verdict: Verdict, urlScheme: 'http' | 'https'): Result {
  if (!verdict.ok) {
    const guessed = verdict.reason === 'signature-mismatch' && verdict.claim?.covers.some(dependsOnUrlScheme)
    const other = urlScheme === 'https' ? 'http' : 'https'
    return refused(
      verdict,
      guessed ? `judged as ${urlScheme}; if it came over ${other}: --url-scheme ${other}` : undefined,
    )
  }
  const { scheme, credential, claim } = verdict
  return {
    text: `verified\n${facts([
      ['key', printable(credential.id)],
      ['owner', credential.owner === undefined ? undefined : printable(credential.owner)],
      ['rights', credential.rights?.length ? printable(credential.rights.join(', ')) : undefined],
      ['scheme', scheme],
      ['covers', printable(claim.covers.join(', '))],
      ['created', claim.createdAt === undefined ? undefined : instantText(claim.createdAt)],
      ['expires', claim.expiresAt === undefined ? undefined : instantText(claim.expiresAt)],
    ])}`,
    json: {
      ok: true,
      scheme,
      keyId: credential.id,
      owner: credential.owner,
      rights: credential.rights ?? [],
      ...claimed(claim),
    },
  }
}

type Refusal = Pick<Extract<Verdict, { ok: false }>, 'reason' | 'status' | 'detail' | 'scheme' | 'claim'>

function refused({ reason, status, detail, scheme, claim }: Refusal, hint: string | undefined): Result {
  const { meaning } = reasons[reason]
  return {
    text: `refused: ${reason}\n${facts([
      ['meaning', meaning],
      ['detail', printable(detail)],
      ['key', claim === undefined ? undefined : `${printable(claim.keyId)} (unproven)`],
      ['hint', hint],
    ])}`,
    json: {
      ok: false,
      reason,
      status,
      detail,
      scheme,
      ...(claim === undefined ? {} : { unproven: { keyId: claim.keyId, ...claimed(claim) } }),
      hint,
    },
    exitCode: 1,
  }
}

function claimed({ covers, createdAt, expiresAt, tag, label }: NonNullable<Verdict['claim']>) {
  return { covers, createdAt, expiresAt, tag, label }
}

function dependsOnUrlScheme(component: string): boolean {
  return component === '@target-uri' || component === '@scheme' || component === '@authority'
}

function readMaxAge(text: string): number {
  const seconds = readPositiveDuration(text)
  if (seconds > 86_400) throw new InvalidArgumentError('Expected at most 24h.')
  return seconds
}
