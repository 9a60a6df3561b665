import type { Result } from './output.ts'
import type { World } from './world.ts'

/** One run of the command line: hands commands their world, and takes what they have to say. */
export interface Session {
  readonly world: World
  /** Runs a command's work, prints what it gives and keeps its exit code. */
  report(work: (world: World) => Promise<Result>): Promise<void>
}
