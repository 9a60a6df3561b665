// Runs benchmarks one after the other, each in a process of its own. Run: npm run bench [-- name ...] [--quick]
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Names of the benchmarks of the library, in the order of a full run. */
const ofLibrary: readonly string[] = [
  'verify',
  'sign',
  'garbage',
  'hostile',
  'crypto',
  'structured-fields',
  'nonces',
]
/** Those that are run only where they are named: they need more than Node. */
const onRequest: readonly string[] = ['gateway']

const root = fileURLToPath(new URL('..', import.meta.url))
const given = process.argv.slice(2)
const flags = given.filter((one) => one.startsWith('--'))
const named = given.filter((one) => !one.startsWith('--'))
const known = [...ofLibrary, ...onRequest]
const unknown = named.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${known.join(', ')}`)
  process.exit(2)
}

console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} processors`)
const failed: string[] = []
for (const name of named.length > 0 ? named : ofLibrary) {
  console.log(`\n=== ${name}`)
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...argumentsOf(name)], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) failed.push(name)
}
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`)
  process.exit(1)
}

/** A quick run of the nonces is one with fewer of them. */
function argumentsOf(name: string): readonly string[] {
  return name === 'nonces' ? (flags.includes('--quick') ? ['100000'] : []) : flags
}
