// Plain JavaScript without dependencies: this runs in a fresh clone, where nothing is installed yet.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const oldestNode = [20, 19]

/**
 * Tells whether a Node version is new enough for this repository.
 * @param {string} version such as `20.19.0`
 * @returns {boolean}
 */
export function isNodeNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = oldestNode
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

/**
 * Tells whether `node_modules` holds what package-lock.json asks for, by npm's own record of what it installed.
 * Contents are compared, not times: a checkout gives every file the time of the checkout.
 * Optional packages may be absent (they are for other platforms), but not of another version.
 * @param {string} folder
 * @returns {boolean}
 */
export function isInstalled(folder) {
  const wanted = packagesOf(join(folder, 'package-lock.json'))
  const held = packagesOf(join(folder, 'node_modules/.package-lock.json'))
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    const there = held[path]
    if (there === undefined) return Boolean(entry.optional || entry.devOptional || entry.peer)
    return there.version === entry.version && there.integrity === entry.integrity
  })
}

/**
 * Installs what package-lock.json asks for where that is not there yet, development tools included.
 * Ends the process where npm fails.
 */
export function install() {
  if (existsSync(join(root, 'node_modules')) && isInstalled(root)) return
  console.log('Installing dependencies (npm ci)')
  // `--include` wins over NODE_ENV=production and over `omit` in an npmrc. No package here needs its install
  // script, and nothing but the registry is contacted.
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund']
  const npm = process.env.npm_execpath ?? ''
  const status = basename(npm).startsWith('npm-cli')
    ? run(process.execPath, [npm, ...args])
    : run('npm', args, { shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status)
}

/**
 * Compiles the packages. TypeScript itself skips what is up to date.
 * @returns {number} exit code
 */
export function build() {
  return runTool('typescript/bin/tsc', ['-b'])
}

/**
 * Runs the command of an installed package with this Node.
 * @param {string} file path below `node_modules`
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {number} exit code
 */
export function runTool(file, args, options) {
  return run(process.execPath, [join(root, 'node_modules', file), ...args], options)
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {number} exit code
 */
function run(command, args, options) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error !== undefined) console.error(`${command} cannot be started: ${error.message}`)
  if (signal !== null) console.error(`${command} was ended by ${signal}`)
  return status ?? 1
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }>}
 */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
  } catch {
    return {}
  }
}

if (!isNodeNewEnough(process.versions.node)) {
  console.error(`countersign needs Node ${oldestNode.join('.')} or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
