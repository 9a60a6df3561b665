/** How a command ends: 0 done or verified, 1 refused, 2 misuse or unable. */
export type ExitCode = 0 | 1 | 2

/** A failure that is told to the person in one line and ends the command with exit code 2. Holds no secret. */
export class Failure extends Error {
  override readonly name = 'Failure'
  /** Stable name for `--json`. */
  readonly code: string

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A command line or an input that cannot be worked with. */
export function misuse(message: string, cause?: unknown): Failure {
  return new Failure('misuse', message, cause === undefined ? undefined : { cause })
}

/** The code of a failed system call (`ENOENT`), or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return 'syscall' in error ? error.code : undefined
}
