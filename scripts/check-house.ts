import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, dirname, join, posix, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findCircles } from './circles.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { parseSource, type SourceFacts, UnreadableSource } from './parse-source.ts'

/** One thing that breaks a house rule, or that is only worth a look. */
export interface Finding {
  /** Path from the root of the repository. */
  readonly path: string
  readonly line: number
  readonly text: string
}

/** What came of a check. The house stands where `broken` is empty. */
export interface HouseReport {
  readonly fileCount: number
  readonly broken: readonly Finding[]
  /** Long files and long docstrings: to be looked at, never failed. */
  readonly reported: readonly Finding[]
}

/** The rooms of the library from the top floor to the ground. A file imports from its own room or from one further down. */
const floors: readonly { readonly floor: number; readonly rooms: readonly string[] }[] = [
  { floor: 5, rooms: ['testing', 'server', 'client', 'stores'] },
  { floor: 4, rooms: ['explain', 'verifier', 'signer', 'policy', 'replay'] },
  { floor: 3, rooms: ['schemes'] },
  { floor: 2, rooms: ['crypto', 'digest', 'steps'] },
  { floor: 1, rooms: ['credentials', 'keys', 'message', 'structured-fields', 'algorithms'] },
  { floor: 0, rooms: ['reasons', 'text', 'bytes', 'clock'] },
]
const roomOrder: readonly string[] = floors.flatMap(({ rooms }) => rooms)
const doorFloor = 5

/** The only files of the library that may know they run under Node. */
const nodeDoors: ReadonlySet<string> = new Set([
  'crypto/node.ts',
  'server/from-node.ts',
  'server/node-http.ts',
  'client/node-http.ts',
  'stores/file.ts',
])
const nodeGlobals: ReadonlySet<string> = new Set(['Buffer', 'NodeJS', 'process'])
const clockReads: ReadonlySet<string> = new Set(['Date.now', 'new Date', 'performance.now'])

const library = 'countersign'
const packageNames = [library, 'gateway', 'cli']
/** Folders whose names are checked; `vectors` keeps the names its sources gave. */
const namedFolders = ['packages', 'scripts', 'bench', 'examples', 'interop', 'runtimes', 'docs']
const forbiddenName =
  /^(?:utils?|helpers?|common|misc|shared|lib|core|manager|.*-(?:utils?|helpers?|manager))$/
const linesMost = 300
const testLinesMost = 400

interface SourceFile {
  /** Path inside `src`, with `/`. */
  readonly path: string
  readonly isTest: boolean
  readonly facts: SourceFacts
}

type Refuse = (line: number, text: string) => void

interface Findings {
  readonly broken: Finding[]
  readonly reported: Finding[]
}

/** Checks the house rules on the repository at `root`. */
export function checkHouse(root: string): HouseReport {
  const findings: Findings = { broken: [], reported: [] }
  for (const folder of namedFolders) checkNames(root, folder, findings)
  let fileCount = 0
  for (const name of packageNames) {
    const source = `packages/${name}/src`
    const files = readFiles(root, source, findings)
    fileCount += files.length
    checkPackage(root, name, files, findings)
  }
  return { fileCount, ...findings }
}

function checkPackage(root: string, name: string, files: readonly SourceFile[], findings: Findings): void {
  const source = `packages/${name}/src`
  const manifest = readManifest(join(root, 'packages', name, 'package.json'))
  const paths = new Set(files.map(({ path }) => path))
  const fileGraph = new Map<string, Set<string>>()
  const roomGraph = new Map<string, Set<string>>()
  for (const file of files) {
    const refuse: Refuse = (line, text) => {
      const finding = { path: `${source}/${file.path}`, line, text }
      // `#backend` stands for two files, which break a rule together.
      const last = findings.broken.at(-1)
      if (last?.path !== finding.path || last.line !== line || last.text !== text)
        findings.broken.push(finding)
    }
    checkFile(file, `${source}/${file.path}`, findings)
    if (name === library) checkLibraryFile(file, refuse)
    for (const { name: specifier, line } of file.facts.imports) {
      if (!specifier.startsWith('.') && !specifier.startsWith('#')) {
        if (packageOf(specifier) === manifest.name) {
          refuse(line, `imports its own package as '${specifier}': name the file instead`)
        } else if (name === library && !file.isTest) {
          checkForeignImport(file, specifier, line, manifest, refuse)
        }
        continue
      }
      for (const target of resolveImport(file.path, specifier, manifest)) {
        if (target.startsWith('../')) {
          if (!file.isTest && (name === library || target.includes('/src/'))) {
            refuse(line, `'${specifier}' leads out of the package`)
          }
        } else if (!paths.has(target)) {
          if (!existsSync(join(root, source, target))) refuse(line, `'${specifier}' leads to no file`)
        } else if (isTestPath(target)) {
          refuse(line, `imports the test '${specifier}'`)
        } else if (!file.isTest) {
          if (basename(target) === 'index.ts') refuse(line, `imports the barrel '${specifier}'`)
          const [from, to] = [roomOf(file.path), roomOf(target)]
          addEdge(fileGraph, file.path, target)
          if (from === undefined || to === undefined || from === to) continue
          // In the library the order of the rooms leaves no room for circles.
          if (name === library) checkStairs(from, to, line, refuse)
          else addEdge(roomGraph, from, to)
        }
      }
    }
  }
  for (const circle of [...findCircles(fileGraph), ...findCircles(roomGraph)]) {
    findings.broken.push({ path: `${source}/${circle[0]}`, line: 1, text: `circle: ${circle.join(' -> ')}` })
  }
}

function checkFile(file: SourceFile, path: string, findings: Findings): void {
  const { facts } = file
  const most = file.isTest ? testLinesMost : linesMost
  if (facts.lineCount > most) {
    findings.reported.push({ path, line: most + 1, text: `${facts.lineCount} lines; at most ${most} wanted` })
  }
  if (file.isTest) return
  if (basename(file.path) === 'index.ts' && facts.firstOwnStatement !== undefined) {
    findings.broken.push({ path, line: facts.firstOwnStatement, text: 'index.ts holds more than re-exports' })
  }
  for (const { name, line } of facts.undocumented) {
    findings.broken.push({ path, line, text: `'${name}' is exported without a docstring` })
  }
  for (const { name, line } of facts.wordy) {
    findings.reported.push({ path, line, text: `the docstring of '${name}' is over 8 lines` })
  }
  for (const { name, line } of facts.unexplained) {
    findings.broken.push({ path, line, text: `'${name}' does not explain itself in a comment on its line` })
  }
}

function checkLibraryFile(file: SourceFile, refuse: Refuse): void {
  const room = roomOf(file.path)
  if (room === undefined) {
    if (file.path !== 'index.ts' && !file.isTest) refuse(1, 'lies outside every room; only index.ts may')
    return
  }
  if (!roomOrder.includes(room)) {
    refuse(1, `'${room}' is not a room of the house; the table in check-house.ts lists them`)
    return
  }
  if (file.isTest) return
  for (const { name, line } of file.facts.worldly) {
    if (nodeGlobals.has(name)) {
      if (!nodeDoors.has(file.path)) refuse(line, `'${name}' belongs to the Node doors`)
    } else if (clockReads.has(name)) {
      if (room !== 'clock') refuse(line, `'${name}' belongs to clock/; take a Clock`)
    } else if (floorOf(room) < doorFloor) {
      refuse(line, `'${name}' belongs to floor ${doorFloor}`)
    }
  }
}

function checkForeignImport(
  file: SourceFile,
  specifier: string,
  line: number,
  manifest: Manifest,
  refuse: Refuse,
): void {
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    if (!nodeDoors.has(file.path)) refuse(line, `'${specifier}' belongs to the Node doors`)
    return
  }
  const room = roomOf(file.path)
  if (room === undefined || floorOf(room) < doorFloor) {
    refuse(line, `'${specifier}' is another package; below floor ${doorFloor} there is none`)
  } else if (!manifest.peers.has(packageOf(specifier))) {
    refuse(line, `'${specifier}' is not among the optional peers of the package`)
  }
}

function checkStairs(from: string, to: string, line: number, refuse: Refuse): void {
  if (roomOrder.includes(to) && roomOrder.indexOf(to) < roomOrder.indexOf(from)) {
    refuse(line, `${from}/ (floor ${floorOf(from)}) imports from ${to}/ above it (floor ${floorOf(to)})`)
  }
}

function checkNames(root: string, folder: string, findings: Findings): void {
  if (!existsSync(join(root, folder))) return
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) continue
    const path = `${folder}/${entry.name}`
    if (forbiddenName.test(entry.name.replace(/\..*$/, '').toLowerCase())) {
      findings.broken.push({ path, line: 1, text: `'${entry.name}' is no name for a room or file` })
    }
    if (entry.isDirectory()) checkNames(root, path, findings)
  }
}

function readFiles(root: string, source: string, findings: Findings): readonly SourceFile[] {
  if (!existsSync(join(root, source))) return []
  const paths = readdirSync(join(root, source), { recursive: true, encoding: 'utf8' })
  const files: SourceFile[] = []
  for (const path of paths.map((given) => given.replaceAll('\\', '/')).sort()) {
    if (!/\.[cm]?tsx?$/.test(path)) continue
    try {
      const facts = parseSource(path, readFileSync(join(root, source, path), 'utf8'))
      files.push({ path, isTest: isTestPath(path), facts })
    } catch (failure) {
      if (!(failure instanceof UnreadableSource)) throw failure
      findings.broken.push({ path: `${source}/${path}`, line: 1, text: failure.message })
    }
  }
  return files
}

function resolveImport(from: string, specifier: string, manifest: Manifest): readonly string[] {
  if (specifier.startsWith('#')) return manifest.imports.get(specifier) ?? [specifier]
  return [posix.join(dirname(from), specifier)]
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function roomOf(path: string): string | undefined {
  const slash = path.indexOf('/')
  return slash < 0 ? undefined : path.slice(0, slash)
}

function floorOf(room: string): number {
  return floors.find(({ rooms }) => rooms.includes(room))?.floor ?? -1
}

function isTestPath(path: string): boolean {
  return /\.test\.[cm]?tsx?$/.test(path)
}

function addEdge(graph: Map<string, Set<string>>, from: string, to: string): void {
  const targets = graph.get(from)
  if (targets === undefined) graph.set(from, new Set([to]))
  else targets.add(to)
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)))
  const { fileCount, broken, reported } = checkHouse(root)
  for (const { path, line, text } of reported) console.log(`look: ${path}:${line}: ${text}`)
  for (const { path, line, text } of broken) console.error(`${path}:${line}: ${text}`)
  console.log(`${fileCount} files, ${broken.length} broken rules, ${reported.length} to look at`)
  process.exitCode = broken.length === 0 && fileCount > 0 ? 0 : 1
}
