import { type Command, Option } from 'commander'
import {
  type Credential,
  cavage,
  createSigner,
  type FlaskHmacVariant,
  flaskHmac,
  flaskHmacauth,
  oauthMac,
  rfc9421,
  type Scheme,
  type Secret,
  type Signer,
  secretFrom,
  ustudioHmac,
} from 'countersign'
import { readPositiveDuration } from './duration.ts'
import { misuse } from './failure.ts'
import { readInput, withoutLineBreak } from './read-input.ts'
import type { World } from './world.ts'

/** Names of the schemes that the command line knows. */
export const schemeNames = [
  'rfc9421',
  'ustudio-hmac',
  'flask-hmacauth',
  'flask-hmac',
  'oauth-mac',
  'cavage',
] as const

/** Wire formats of flask-hmac. */
export const flaskHmacVariants: readonly FlaskHmacVariant[] = [
  'path',
  'body-base64url',
  'body-base64',
  'named-base64url',
  'named-base64',
]

/** How the text of a secret is written. */
export type SecretEncoding = 'utf8' | 'hex' | 'base64' | 'base64url'

/** Options that say where a secret is. */
export interface SecretFlags {
  readonly secretFile?: string
  readonly secretEncoding: SecretEncoding
}

/** Options that say how to sign, as commander hands them over. */
export interface SigningFlags extends SecretFlags {
  readonly key: string
  readonly scheme: (typeof schemeNames)[number]
  readonly algorithm?: string
  readonly variant?: FlaskHmacVariant
  readonly privateKeyFile?: string
  readonly cover?: readonly string[]
  readonly tag?: string
  readonly label?: string
  readonly expiresIn?: number
}

/** Environment variable that may hold the secret. */
export const secretVariable = 'COUNTERSIGN_SECRET'

const secretLimitBytes = 65_536

/** Adds the options that say where a secret is. */
export function addSecretOptions(command: Command): Command {
  return command
    .option(
      '--secret-file <path>',
      `file with the secret, or - for standard input (default: $${secretVariable})`,
    )
    .addOption(
      new Option('--secret-encoding <name>', 'how the secret is written; utf8: its text is its bytes')
        .choices(['utf8', 'hex', 'base64', 'base64url'])
        .default('utf8'),
    )
}

/** Adds the options of commands that sign. */
export function addSigningOptions(command: Command): Command {
  command
    .requiredOption('--key <id>', 'id of the key to sign with')
    .addOption(new Option('--scheme <name>', 'signature scheme').choices(schemeNames).default('rfc9421'))
  return addSecretOptions(command)
    .option('--private-key-file <path>', 'PEM file with a private key, instead of a secret')
    .option('--algorithm <name>', 'such as ed25519 or hmac-sha256 (default: what scheme and key imply)')
    .addOption(
      new Option('--variant <name>', 'flask-hmac: what is signed, and how it is written').choices(
        flaskHmacVariants,
      ),
    )
    .option(
      '--cover <component>',
      'rfc9421: sign this component; cavage: this header; repeatable (default: method, URI, content)',
      collect,
    )
    .option('--tag <text>', 'rfc9421: application tag')
    .option('--label <name>', 'rfc9421: label of the signature (default: sig1)')
    .option(
      '--expires-in <duration>',
      'rfc9421, cavage: end of the signature, from now',
      readPositiveDuration,
    )
}

/** Gathers a repeatable option. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/**
 * Makes the signer that the options describe.
 * @throws Failure for options that contradict each other; CountersignError where the key cannot sign.
 */
export async function signerFrom(flags: SigningFlags, world: World): Promise<Signer> {
  const credential: Credential = {
    id: flags.key,
    ...(flags.privateKeyFile === undefined
      ? { secret: await readSecret(flags, world) }
      : { key: await readPrivateKey(flags, flags.privateKeyFile, world) }),
    ...(flags.algorithm === undefined ? {} : { algorithm: flags.algorithm }),
  }
  return createSigner({ scheme: schemeFrom(flags), credential, clock: world.clock })
}

/**
 * Reads the shared secret from its file, standard input or the environment.
 * @throws Failure where there is none, it is empty, or it is not written as said.
 */
export async function readSecret(flags: SecretFlags, world: World): Promise<Secret> {
  const bytes = await secretText(flags.secretFile, world)
  if (bytes.length === 0) throw misuse('the secret is empty')
  const { secretEncoding } = flags
  return secretEncoding === 'utf8'
    ? secretFrom.bytes(bytes)
    : secretFrom[secretEncoding](Buffer.from(bytes).toString('latin1'))
}

async function secretText(path: string | undefined, world: World): Promise<Uint8Array> {
  if (path !== undefined) {
    const place = { path, what: 'the secret', limitBytes: secretLimitBytes }
    return withoutLineBreak(await readInput(world, place))
  }
  const given = world.env[secretVariable]
  if (given === undefined) {
    throw misuse(`no secret: set ${secretVariable}, or give --secret-file <path> (- for standard input)`)
  }
  return Buffer.from(given)
}

async function readPrivateKey(flags: SigningFlags, path: string, world: World): Promise<string> {
  if (flags.secretFile !== undefined) throw misuse('--secret-file and --private-key-file exclude each other')
  const bytes = await readInput(world, { path, what: 'the private key', limitBytes: secretLimitBytes })
  return Buffer.from(bytes).toString('latin1')
}

/** Makes the schemes whose signer chooses nothing. */
function schemeOfOld(flags: SigningFlags): Scheme | undefined {
  const { scheme, variant, algorithm } = flags
  switch (scheme) {
    case 'rfc9421':
    case 'cavage':
      return undefined
    case 'ustudio-hmac':
      return ustudioHmac()
    case 'oauth-mac':
      return oauthMac()
    case 'flask-hmacauth':
      return flaskHmacauth(digestOf(algorithm))
    case 'flask-hmac':
      if (variant === undefined) {
        throw misuse(`--scheme flask-hmac needs --variant: ${flaskHmacVariants.join(', ')}`)
      }
      return flaskHmac({ variant, ...digestOf(algorithm) })
    default:
      return scheme satisfies never
  }
}

/** In the schemes of Flask the service sets the hash; `--algorithm` says which. */
function digestOf(algorithm: string | undefined): {
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
} {
  switch (algorithm) {
    case 'hmac-sha1':
      return { digest: 'sha1' }
    case 'hmac-sha256':
      return { digest: 'sha256' }
    case 'hmac-sha384':
      return { digest: 'sha384' }
    case 'hmac-sha512':
      return { digest: 'sha512' }
    default:
      return {}
  }
}

function schemeFrom(flags: SigningFlags): Scheme {
  const { cover, tag, label, expiresIn } = flags
  if (flags.variant !== undefined && flags.scheme !== 'flask-hmac') {
    throw misuse(`--variant: scheme ${flags.scheme} has no such thing; it is for flask-hmac`)
  }
  const old = schemeOfOld(flags)
  if (old !== undefined) {
    const options = { cover, tag, label, 'expires-in': expiresIn }
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined)
        throw misuse(`--${name}: scheme ${flags.scheme} has no such thing; it is for rfc9421`)
    }
    return old
  }
  if (flags.scheme === 'cavage') {
    for (const [name, value] of Object.entries({ tag, label })) {
      if (value !== undefined) throw misuse(`--${name}: scheme cavage has no such thing; it is for rfc9421`)
    }
    return cavage({
      ...(cover === undefined ? {} : { headers: cover }),
      ...(expiresIn === undefined ? {} : { expiresInSeconds: expiresIn }),
    })
  }
  return rfc9421({
    ...(cover === undefined ? {} : { covers: cover }),
    ...(tag === undefined ? {} : { tag }),
    ...(label === undefined ? {} : { label }),
    ...(expiresIn === undefined ? {} : { expiresInSeconds: expiresIn }),
  })
}
