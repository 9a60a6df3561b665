import type { Command } from 'commander'

/** What a command line asks for, as far as it can be told before its options are judged. */
export interface Asked {
  /** Names of the command, such as `keys create`; empty where none is known. */
  readonly command: string
  /** Whether `--json` stands there as an option of ours: not as the value of another option, and not as one of curl's. */
  readonly json: boolean
}

/** Looks through a command line. How errors are written depends on it, so it is asked before anything can fail. */
export function asked(program: Command, args: readonly string[]): Asked {
  const names: string[] = []
  let command = program
  let json = false
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? ''
    if (argument === '--') break
    if (argument === '--json') json = true
    else if (argument.startsWith('-')) {
      const known = command.options.find(({ short, long }) => short === argument || long === argument)
      if (known?.required === true) i++
    } else {
      const next = command.commands.find((one) => one.name() === argument)
      if (next !== undefined) {
        command = next
        names.push(argument)
      } else if (command.registeredArguments.at(-1)?.variadic === true) break
    }
  }
  return { command: names.join(' '), json }
}
