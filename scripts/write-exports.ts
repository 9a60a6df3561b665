import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readManifest } from './manifest.ts'

/** The `exports` map of a package: conditions, or a plain file, for each subpath. */
export type ExportsMap = Readonly<
  Record<string, string | { readonly types: string; readonly default: string }>
>

/** Rooms whose every file, or every folder's file of the same name, is a door of its own. */
const doorRooms = ['server', 'client', 'stores']

const anyExport = /^export /gm
const internalExport = /\/\*\*(?:(?!\*\/)[\s\S])*@internal(?:(?!\*\/)[\s\S])*\*\/\s*^export /gm

/** Derives the exports of the library in `packageFolder` from its source tree. */
export function exportsOf(packageFolder: string): ExportsMap {
  const source = join(packageFolder, 'src')
  const doors = doorRooms.flatMap((room) => doorsOf(source, room))
  if (existsSync(join(source, 'testing/testing.ts'))) doors.push(['./testing', 'testing/testing'])
  doors.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries([
    ['.', entry('index')],
    ...doors.map(([subpath, file]) => [subpath, entry(file)]),
    ['./package.json', './package.json'],
  ])
}

/** Tells whether the package.json in `packageFolder` holds exactly the exports of its tree, in their order. */
export function exportsAgree(packageFolder: string): boolean {
  const { all } = readManifest(join(packageFolder, 'package.json'))
  return JSON.stringify(all.exports) === JSON.stringify(exportsOf(packageFolder))
}

/** Writes the exports of the tree into the package.json in `packageFolder`, and leaves the rest of it as it is. */
export function writeExports(packageFolder: string): void {
  const path = join(packageFolder, 'package.json')
  const { all } = readManifest(path)
  writeFileSync(path, `${JSON.stringify({ ...all, exports: exportsOf(packageFolder) }, undefined, 2)}\n`)
}

function doorsOf(source: string, room: string): readonly [subpath: string, file: string][] {
  if (!existsSync(join(source, room))) return []
  const doors: [string, string][] = []
  for (const item of readdirSync(join(source, room), { withFileTypes: true })) {
    const name = item.name.replace(/\.ts$/, '')
    const file = item.isDirectory() ? `${room}/${name}/${name}` : `${room}/${name}`
    if (name === 'index' || name.endsWith('.test') || !existsSync(join(source, `${file}.ts`))) continue
    if (servesOnlyDoors(readFileSync(join(source, `${file}.ts`), 'utf8'))) continue
    doors.push([`./${room}/${name}`, file])
  }
  return doors
}

/** Tells whether every export of a file is tagged `@internal` in its docstring: it serves the doors and is none itself. */
function servesOnlyDoors(text: string): boolean {
  const exported = text.match(anyExport)?.length ?? 0
  return exported > 0 && exported === text.match(internalExport)?.length
}

function entry(file: string): { readonly types: string; readonly default: string } {
  return { types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL('../packages/countersign', import.meta.url))
  if (!process.argv.includes('--check')) {
    writeExports(folder)
  } else if (!exportsAgree(folder)) {
    console.error('packages/countersign/package.json: "exports" is not that of the tree: npm run exports')
    console.error(JSON.stringify(exportsOf(folder), undefined, 2))
    process.exitCode = 1
  }
}
