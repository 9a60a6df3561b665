// Everything that must hold before a change is good, in order; stops at the first failure with its exit code.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, install, root, runTool } from './prepare.mjs'
import { tally } from './tally.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'countersign-test-'))
const report = join(scratch, 'vitest.json')
const packages = ['countersign', 'gateway', 'cli'].map((name) => join(root, 'packages', name))

/** What Vitest counted, once it ran. @type {import('./tally.mjs').Tally | undefined} */
let counted

/** @type {[heading: string, step: () => number][]} */
const steps = [
  ['Build', build],
  [
    'Types',
    // The examples apart: they see the packages as built, as those who use them do.
    () =>
      firstFailure(['tsconfig.check.json', 'examples'], (project) =>
        runTool('typescript/bin/tsc', ['-p', project]),
      ),
  ],
  ['Lint and format', () => runTool('@biomejs/biome/bin/biome', ['check'])],
  ['House rules', () => runTool('tsx/dist/cli.mjs', ['scripts/check-house.ts'])],
  ['Exports', () => runTool('tsx/dist/cli.mjs', ['scripts/write-exports.ts', '--check'])],
  ['Tests', runTests],
  [
    'Package contents',
    () => firstFailure(packages, (folder) => runTool('publint/src/cli.js', ['run', folder, '--strict'])),
  ],
  ['Package types', () => firstFailure(packages, typesAreRight)],
]

/** @returns {number} exit code */
function runTests() {
  // A NODE_ENV of production would change what is tested.
  const { NODE_ENV: _, ...env } = process.env
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const status = runTool('vitest/vitest.mjs', [...args, ...process.argv.slice(2)], { env })
  try {
    counted = tally(JSON.parse(readFileSync(report, 'utf8')))
  } catch (failure) {
    console.error(`Vitest left no report: ${failure}`)
    return status === 0 ? 1 : status
  }
  if (process.env.COUNTERSIGN_NO_SKIPS === '1' && counted.skipped.length > 0) {
    console.error(['Skipped, and nothing may be skipped here:', ...counted.skipped].join('\n  '))
    return status === 0 ? 1 : status
  }
  return status
}

/**
 * @param {string} folder
 * @returns {number} exit code
 */
function typesAreRight(folder) {
  return runTool('@arethetypeswrong/cli/dist/index.js', ['--pack', folder, '--profile', 'esm-only'])
}

/**
 * @param {readonly string[]} folders
 * @param {(folder: string) => number} check
 * @returns {number} exit code
 */
function firstFailure(folders, check) {
  for (const folder of folders) {
    const status = check(folder)
    if (status !== 0) return status
  }
  return 0
}

/** @returns {number} exit code */
function runSteps() {
  for (const [heading, step] of steps) {
    const startedAt = performance.now()
    console.log(`\n== ${heading} ==`)
    const status = step()
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    if (status !== 0) {
      console.error(`\n${heading} failed with exit code ${status} after ${seconds} s`)
      return status
    }
    console.log(`${heading}: good, ${seconds} s`)
  }
  return 0
}

install()
process.exitCode = runSteps()
rmSync(scratch, { recursive: true, force: true })
if (counted !== undefined) console.log(`\n${counted.line}`)
