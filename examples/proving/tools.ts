import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, it } from 'vitest'

/** Gives the path of a program, or `undefined` where this machine lacks it. */
export function pathOf(tool: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, tool)).find(isExecutable)
}

/**
 * Describes tests that need programs of the machine. Where one is missing they are skipped, and it is said so; with
 * `COUNTERSIGN_NO_SKIPS=1` that fails the run, unless the machine has said `COUNTERSIGN_NGINX=absent`.
 */
export function describeWith(tools: readonly string[], name: string, prove: () => void): void {
  const missing = tools.filter((tool) => pathOf(tool) === undefined)
  if (missing.length === 0) {
    describe(name, prove)
    return
  }
  console.warn(`not proven here: ${name}; this machine lacks ${missing.join(', ')}`)
  if (missing.every((tool) => process.env[`COUNTERSIGN_${tool.toUpperCase()}`] === 'absent')) {
    describe(name, () => it('is not proven: its program is absent, as this run was told', () => undefined))
  } else {
    describe.skip(name, prove)
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
