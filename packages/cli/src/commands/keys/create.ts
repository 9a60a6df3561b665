import { type Command, Option } from 'commander'
import { generateKeyId } from 'countersign'
import { defaultDataDir, openCredentials } from '../../data-dir.ts'
import { type InstantOrSpan, instantText, readInstantOrSpan } from '../../duration.ts'
import { misuse } from '../../failure.ts'
import type { Result } from '../../output.ts'
import { readInput } from '../../read-input.ts'
import type { Session } from '../../session.ts'
import { collect, schemeNames } from '../../signing-options.ts'
import type { World } from '../../world.ts'
import { keyJson, keyText } from './key-text.ts'
import { newSecret, secretAdvice } from './new-secret.ts'

interface CreateFlags {
  readonly dataDir: string
  readonly right?: readonly string[]
  readonly owner?: string
  readonly scheme?: string
  readonly algorithm?: string
  readonly expires?: InstantOrSpan
  readonly publicKeyFile?: string
}

const examples = `
Examples:
  $ countersign keys create billing --right invoices:read --right invoices:write --owner "Team Billing"
  $ countersign keys create legacy --scheme ustudio-hmac --expires 90d
  $ countersign keys create ci --algorithm ed25519 --public-key-file ci.pub.pem
  $ countersign keys create --json | jq -r .secret

The secret is 32 random bytes written as base64url. Its text is the secret: openssl, curl and Python use it as it
stands, without decoding it. It is shown once.
`

/** Adds `countersign keys create`. */
export function addCreate(keys: Command, session: Session): void {
  keys
    .command('create')
    .summary('make a key and show its secret once')
    .description('Makes a key. The secret is shown once; a public key is taken from a file instead.')
    .argument('[id]', 'key id as it stands in requests (default: a random one)')
    .option('--right <name>', 'right that the key has, repeatable', collect)
    .option('--owner <text>', 'who holds the key')
    .addOption(
      new Option('--scheme <name>', 'the only scheme the key serves (default: any)').choices(schemeNames),
    )
    .option('--algorithm <name>', 'bind the key to this algorithm (default: what scheme and key imply)')
    .option(
      '--expires <when>',
      'end of the key: a day (2030-01-31), a UTC time, or a span such as 90d',
      readInstantOrSpan,
    )
    .option('--public-key-file <path>', 'PEM file with a public key, instead of a secret')
    .option('--data-dir <path>', 'data directory of the gateway', defaultDataDir)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((id: string | undefined, flags: CreateFlags) =>
      session.report((world) => create(id, flags, world)),
    )
}

async function create(id: string | undefined, flags: CreateFlags, world: World): Promise<Result> {
  const { right, owner, scheme, algorithm, expires, publicKeyFile } = flags
  const now = world.clock()
  if (id !== undefined && /^[\s"']|[\s"']$/.test(id)) {
    throw misuse('the key id begins or ends with a blank or a quote, which the fields of a request may lose')
  }
  const expiresAt = expires === undefined ? undefined : 'at' in expires ? expires.at : now + expires.inSeconds
  if (expiresAt !== undefined && expiresAt <= now) {
    throw misuse(`--expires: ${instantText(expiresAt)} is past; the key would never be valid`)
  }
  const key =
    publicKeyFile === undefined
      ? undefined
      : Buffer.from(
          await readInput(world, { path: publicKeyFile, what: 'the public key', limitBytes: 65_536 }),
        ).toString('latin1')
  const secret = key === undefined ? newSecret(world) : undefined
  const { credentials, close } = await openCredentials({ dataDir: flags.dataDir, mayCreate: true }, world)
  try {
    const record = await credentials.create({
      id: id ?? generateKeyId(),
      ...(secret === undefined ? {} : { secret: secret.bytes }),
      ...(key === undefined ? {} : { key }),
      ...(right === undefined ? {} : { rights: right }),
      ...(owner === undefined ? {} : { owner }),
      ...(scheme === undefined ? {} : { scheme }),
      ...(algorithm === undefined ? {} : { algorithm }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    })
    const shown = secret === undefined ? '' : `\n${secret.text}\n\n${secretAdvice}`
    return {
      text: `created\n${keyText(record, now)}${shown}`,
      json: { ...keyJson(record, now), ...(secret === undefined ? {} : { secret: secret.text }) },
    }
  } finally {
    await close()
  }
}
