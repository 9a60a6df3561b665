import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** What shares a processor: everything that is measured has one to itself, load and upstream have another. */
export type Side = 'measured' | 'load'

/** Number of each side's processor. */
export const processors: Readonly<Record<Side, string>> = { measured: '0', load: '1' }

/** Whether the two sides are kept apart. */
export const isPinned: boolean = existsSync('/usr/bin/taskset') && availableParallelism() > 1

/** Gives the command that runs a program on the processor of its side. */
export function pinned(
  side: Side,
  program: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  return isPinned ? ['/usr/bin/taskset', ['-c', processors[side], program, ...args]] : [program, args]
}
