import { readFileSync } from 'node:fs'
import { CountersignError } from 'countersign'
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
} from 'yaml'
import type { SchemaProblem } from './relations.ts'
import { checkConfig, type GatewayConfig } from './schema.ts'

/** One thing that is wrong with a configuration file. */
export interface ConfigProblem {
  /** 1-based. */
  readonly line: number
  /** 1-based. */
  readonly column: number
  /** Such as `routes[0].mode`; empty for the file as a whole. */
  readonly setting: string
  readonly message: string
}

/** A configuration, or everything that is wrong with it, in the order of its lines. */
export type ReadConfig =
  | { readonly ok: true; readonly config: GatewayConfig }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

/**
 * Reads a configuration from YAML text. Unknown settings and settings given twice are problems, and so are environment variables
 * that it names and `env`, where given, lacks.
 */
export function readConfig(text: string, env?: Readonly<Record<string, string | undefined>>): ReadConfig {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core' })
  const problems: ConfigProblem[] = []
  for (const error of [...document.errors, ...document.warnings]) {
    problems.push({ ...placeAt(lines, error.pos[0]), setting: '', message: error.message })
  }
  // A file whose structure is broken says nothing reliable about its values; a key given twice still does.
  const readable = document.errors.every((error) => error.code === 'DUPLICATE_KEY')
  const value = readable ? plainValue(document, problems) : undefined
  if (readable && value !== unreadable) {
    const checked = checkConfig(value ?? {}, env)
    if (!isProblemList(checked)) {
      if (problems.length === 0) return { ok: true, config: checked }
    } else {
      for (const { path, message } of checked) {
        const at = offsetOf(document, path)
        problems.push({ ...placeAt(lines, at), setting: settingName(path), message })
      }
    }
  }
  problems.sort((a, b) => a.line - b.line || a.column - b.column)
  return { ok: false, problems }
}

/**
 * Reads a configuration file.
 * @throws CountersignError `config-invalid` that lists every problem with its line, or says why the file cannot be read.
 */
export function readConfigFile(
  path: string,
  env?: Readonly<Record<string, string | undefined>>,
): GatewayConfig {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CountersignError('config-invalid', `${path}: the configuration cannot be read`, { cause })
  }
  const read = readConfig(text, env)
  if (read.ok) return read.config
  const list = read.problems.map((problem) => {
    const setting = problem.setting === '' ? '' : `${problem.setting}: `
    return `  ${path}:${problem.line}:${problem.column} ${setting}${problem.message}`
  })
  throw new CountersignError(
    'config-invalid',
    `the configuration has ${list.length} problem(s)\n${list.join('\n')}`,
  )
}

const unreadable = Symbol('unreadable')

function plainValue(document: Document, problems: ConfigProblem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 })
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'the file cannot be read'
    problems.push({ line: 1, column: 1, setting: '', message })
    return unreadable
  }
}

function isProblemList(
  checked: GatewayConfig | readonly SchemaProblem[],
): checked is readonly SchemaProblem[] {
  return Array.isArray(checked)
}

function placeAt(lines: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

/** Finds where a setting stands: its key where it has one, else the nearest thing around it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const step of path) {
    if (!isCollection(node)) break
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
      if (pair === undefined) break
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else {
      const item: unknown = node.items[Number(step)]
      if (isPair(item) || !isNode(item)) break
      offset = item.range?.[0] ?? offset
      node = item
    }
  }
  return offset
}

function settingName(path: readonly PropertyKey[]): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += text === '' ? String(step) : `.${String(step)}`
  }
  return text
}
