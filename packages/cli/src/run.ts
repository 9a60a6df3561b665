import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { CountersignError } from 'countersign'
import { type Asked, asked } from './asked.ts'
import { commands } from './commands/commands.ts'
import { type ExitCode, Failure, misuse, systemCode } from './failure.ts'
import { secretVariable } from './signing-options.ts'
import type { World } from './world.ts'

const examples = `
Examples:
  $ countersign serve --demo
  $ countersign keys create billing --right invoices:read
  $ COUNTERSIGN_SECRET=... countersign curl --key billing https://api.example.com/invoices

Exit code: 0 done or verified, 1 refused, 2 misuse or unable.
`

/** Set to anything: unexpected errors are told with their stack. */
const debugVariable = 'COUNTERSIGN_DEBUG'

/**
 * Runs the command line and gives its exit code. Never throws: what goes wrong is told in one line on standard error, the
 * problems of a configuration on a line each; as a JSON object with `--json`.
 */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  const program = new Command('countersign')
    .description('Signs and verifies HTTP messages.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .enablePositionalOptions()
    .showSuggestionAfterError(false)
    .exitOverride()
    // Errors are told below, in one place; commander would write them with line breaks of its own.
    .configureOutput({ writeOut: world.print, writeErr: () => {} })
    .addHelpText('after', examples)
  for (const add of commands) {
    add(program, {
      world,
      report: async (work) => {
        const result = await work(world)
        exitCode = result.exitCode ?? 0
        if (!line.json) world.print(result.text)
        else if (result.json !== undefined) world.print(`${JSON.stringify(result.json, undefined, 2)}\n`)
      },
    })
  }
  const line = asked(program, args)
  try {
    refuseSecrets(args)
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const { code, message } = told(error, line)
    // A configuration has its problems listed, each on a line of its own; everything else is one line.
    const parts = code === 'config-invalid' ? message.split('\n  ') : [message]
    const [first = '', ...problems] = parts.map((part) => part.replace(/\s*\n\s*/g, ' '))
    const list = problems.length === 0 ? {} : { problems }
    world.complain(
      line.json
        ? `${JSON.stringify({ error: { code, message: first, ...list } })}\n`
        : `countersign: ${[first, ...problems].join('\n  ')}\n`,
    )
    if (world.env[debugVariable] !== undefined && error instanceof Error) world.complain(`${error.stack}\n`)
    return 2
  }
}

/** Looked for before commander reads the arguments: its messages quote the values it refuses. */
function refuseSecrets(args: readonly string[]): void {
  if (!args.some((argument) => /^--(secret|password|private-key)(=|$)/.test(argument))) return
  throw misuse(
    'a secret on the command line is seen by every user of this machine and stays in the history of the shell; ' +
      `use --secret-file, $${secretVariable} or standard input (--secret-file -)`,
  )
}

function told(error: unknown, { command }: Asked): { readonly code: string; readonly message: string } {
  if (error instanceof Failure || error instanceof CountersignError) return error
  if (error instanceof CommanderError) {
    const message =
      error.code === 'commander.help'
        ? `no command; ${['countersign', command, '--help'].filter((word) => word !== '').join(' ')} lists them`
        : error.message
    // The value of a mistyped option may be a secret.
    return { code: 'misuse', message: message.replace(/^error: /, '').replace(/'(--[^'=]*)=.*'/s, "'$1'") }
  }
  const system = systemCode(error)
  if (system !== undefined && error instanceof Error) return { code: 'system', message: error.message }
  // What a foreign error quotes is unknown, so its message is not shown unasked.
  const name = error instanceof Error ? error.name : typeof error
  return { code: 'unexpected', message: `unexpected ${name}; ${debugVariable}=1 shows it whole` }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : ''
}
