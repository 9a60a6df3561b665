import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from 'countersign'

/** Standard input: bytes in chunks, and whether a person types them. */
export interface Input extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean
  /** Gives up reading, so that the process can end. */
  destroy?(): unknown
}

/** All that a command touches of its process, so that tests can stand in for it. Files and sockets are the real ones. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly input: Input
  /** How long standard input may take to end, in milliseconds. */
  readonly inputTimeoutMs: number
  /** Writes to standard output. */
  readonly print: (text: string) => void
  /** Writes to standard error. */
  readonly complain: (text: string) => void
  readonly clock: Clock
  readonly random: (byteLength: number) => Uint8Array
  /** Settles when the process is asked to stop (SIGTERM, SIGINT), with the name of the signal. */
  readonly stopped: () => Promise<string>
}

/** The world of this process. */
export function processWorld(): World {
  return {
    env: process.env,
    input: process.stdin,
    inputTimeoutMs: 30_000,
    print: (text) => process.stdout.write(text),
    complain: (text) => process.stderr.write(text),
    clock: systemClock,
    random: (byteLength) => new Uint8Array(randomBytes(byteLength)),
    stopped: () =>
      new Promise((resolve) => {
        for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
      }),
  }
}
