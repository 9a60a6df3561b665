import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Arguments with which Node runs the command line, and a program written in TypeScript. */
export const cli = join(root, 'packages/cli/dist/main.js')
export const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')

/** How a program ended, and what it said. */
export interface Ending {
  readonly exitCode: number | null
  readonly out: string
  readonly err: string
}

/** Runs a program to its end. Its environment is what is given, and `PATH` unless that is given too. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH ?? '', ...env }, timeout: 60_000 }
    const child = execFile(command, [...args], options, (_, out, err) =>
      resolve({ exitCode: child.exitCode, out, err }),
    )
    child.stdin?.end()
  })
}

/** A program that runs until it is stopped. */
export interface Service {
  /** Everything it has said on standard output. */
  out(): string
  /** Asks it to stop and gives its exit code. */
  stop(): Promise<number | null>
}

/** Starts a program under Node and gives it once its standard output matches. */
export async function startService(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  isReady: RegExp,
): Promise<Service> {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      if (isReady.test(out)) resolve()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.on('exit', () => reject(new Error(`${args.join(' ')} ended: ${err}`)))
  })
  return {
    out: () => out,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      return child.exitCode
    },
  }
}
