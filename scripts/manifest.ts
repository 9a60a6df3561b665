import { existsSync, readFileSync } from 'node:fs'

/** What the scripts need to know of a package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly peers: ReadonlySet<string>
  /** Files of `src` behind each `#` specifier. */
  readonly imports: ReadonlyMap<string, readonly string[]>
  /** The whole of it. */
  readonly all: Readonly<Record<string, unknown>>
}

/** Reads a package.json; one that is not there is empty. */
export function readManifest(path: string): Manifest {
  const all = record(existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined)
  const imports = Object.entries(record(all.imports)).map(([specifier, target]): [string, string[]] => [
    specifier,
    targets(target).map((built) => built.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts')),
  ])
  return {
    name: text(all.name),
    version: text(all.version),
    peers: new Set(Object.keys(record(all.peerDependencies))),
    imports: new Map(imports),
    all,
  }
}

/** Gives the members of an object; of anything else none. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function targets(conditions: unknown): readonly string[] {
  return typeof conditions === 'string' ? [conditions] : Object.values(record(conditions)).flatMap(targets)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
