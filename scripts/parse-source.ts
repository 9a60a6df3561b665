import { parseSync } from 'vite'

/** Something found in a file, at a line counted from 1. */
export interface Sighting {
  readonly name: string
  readonly line: number
}

/** What the house rules need to know of one TypeScript file. */
export interface SourceFacts {
  readonly lineCount: number
  /** Every module named by an import, a re-export, a dynamic import or an `import()` type. */
  readonly imports: readonly Sighting[]
  /** Globals that reach the world: `Buffer`, `process`, `fetch`, timers, `Date.now`, `new Date`, `performance.now`. */
  readonly worldly: readonly Sighting[]
  /** Exported names without a docstring of their own. */
  readonly undocumented: readonly Sighting[]
  /** Exported names whose docstring is longer than eight lines. */
  readonly wordy: readonly Sighting[]
  /** `any`, `as` and `!` on a line without a comment. `as const` is none. */
  readonly unexplained: readonly Sighting[]
  /** First statement that is not a re-export, or `undefined` where the file holds nothing else. */
  readonly firstOwnStatement: number | undefined
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

interface Comment {
  readonly type: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Thrown where a file does not parse. */
export class UnreadableSource extends Error {}

const worldlyNames: ReadonlySet<string> = new Set([
  'Buffer',
  'NodeJS',
  'process',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
])
const globalObjects: ReadonlySet<string> = new Set(['globalThis', 'window', 'self', 'global'])
const docLinesMost = 8

/**
 * Reads a TypeScript file. The parser is the one that Vite brings along: TypeScript 7 offers Node none that is stable.
 * @throws UnreadableSource where the text is not TypeScript.
 */
export function parseSource(fileName: string, text: string): SourceFacts {
  const parsed = parseSync(fileName, text)
  const problem = parsed.errors[0]
  if (problem !== undefined) throw new UnreadableSource(problem.message)
  const lineOf = lineFinder(text)
  const commentLines = new Set<number>()
  for (const comment of parsed.comments) {
    for (let line = lineOf(comment.start); line <= lineOf(comment.end); line++) commentLines.add(line)
  }
  const imports: Sighting[] = []
  const worldly: Sighting[] = []
  const unexplained: Sighting[] = []
  const program: unknown = parsed.program
  const body = nodes(isNode(program) ? program.body : [])
  const explained = (offset: number): boolean => commentLines.has(lineOf(offset))
  for (const statement of body) {
    walk(statement, undefined, '', (node, parent, key) => {
      const specifier = importedModule(node)
      if (specifier !== undefined) imports.push({ name: specifier, line: lineOf(node.start) })
      const world = worldlyUse(node, parent, key)
      if (world !== undefined) worldly.push({ name: world, line: lineOf(node.start) })
      const loose = looseType(node)
      if (loose !== undefined && !explained(loose.at) && !explained(node.end)) {
        unexplained.push({ name: loose.name, line: lineOf(loose.at) })
      }
    })
  }
  const own = body.find((statement) => !isReexport(statement))
  return {
    lineCount: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    imports,
    worldly,
    unexplained,
    ...docs(body, parsed.comments, text, lineOf),
    firstOwnStatement: own === undefined ? undefined : lineOf(own.start),
  }
}

function docs(
  body: readonly Node[],
  comments: readonly Comment[],
  text: string,
  lineOf: (offset: number) => number,
): Pick<SourceFacts, 'undocumented' | 'wordy'> {
  const documented = new Set<string>()
  const exported = new Map<string, number>()
  const wordy: Sighting[] = []
  for (const statement of body) {
    const isExport = statement.type.startsWith('Export')
    const declared = isExport ? statement.declaration : statement
    const names =
      statement.type === 'ExportDefaultDeclaration'
        ? ['default']
        : isNode(declared)
          ? declaredNames(declared)
          : []
    const lines = docstringLines(statement.start, comments, text)
    for (const name of names) {
      if (lines > 0) documented.add(name)
      if (!isExport) continue
      if (!exported.has(name)) exported.set(name, lineOf(statement.start))
      if (lines > docLinesMost) wordy.push({ name, line: lineOf(statement.start) })
    }
  }
  const local = new Set(body.flatMap((statement) => declaredNames(statement)))
  for (const statement of body) {
    if (statement.type !== 'ExportNamedDeclaration' || isNode(statement.source)) continue
    for (const specifier of nodes(statement.specifiers)) {
      const name = nameOf(specifier.local)
      // A name that was imported has its docstring where it comes from.
      if (name !== undefined && local.has(name)) exported.set(name, lineOf(specifier.start))
    }
  }
  const undocumented = [...exported]
    .filter(([name]) => !documented.has(name))
    .map(([name, line]) => ({ name, line }))
  return { undocumented, wordy }
}

/** Counts the lines of the docstring right in front of an offset; 0 where there is none. */
function docstringLines(offset: number, comments: readonly Comment[], text: string): number {
  let end = offset
  for (const comment of [...comments].reverse()) {
    if (comment.end > end || text.slice(comment.end, end).trim() !== '') continue
    if (comment.type === 'Block' && comment.value.startsWith('*')) {
      const lines = comment.value.split('\n')
      return lines.length <= 2 ? 1 : lines.length - 2
    }
    end = comment.start
  }
  return 0
}

function declaredNames(declaration: Node): readonly string[] {
  if (declaration.type === 'VariableDeclaration') {
    return nodes(declaration.declarations).flatMap((declarator) => bindingNames(declarator.id))
  }
  const name = declaration.type === 'ImportDeclaration' ? undefined : nameOf(declaration.id)
  return name === undefined ? [] : [name]
}

function bindingNames(pattern: unknown): readonly string[] {
  if (!isNode(pattern)) return []
  const name = nameOf(pattern)
  if (name !== undefined) return [name]
  return nodes(pattern.properties ?? pattern.elements).flatMap((part) =>
    bindingNames(part.value ?? part.argument ?? part.left ?? part),
  )
}

function importedModule(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literal(node.source)
    case 'TSExternalModuleReference':
      return literal(node.expression)
    default:
      return undefined
  }
}

function worldlyUse(node: Node, parent: Node | undefined, key: string): string | undefined {
  if (node.type === 'MemberExpression' && node.computed !== true) {
    const object = nameOf(node.object) ?? ''
    const member = nameOf(node.property) ?? ''
    if (object === 'Date' && member === 'now') return 'Date.now'
    if (object === 'performance' && member === 'now') return 'performance.now'
    if (globalObjects.has(object) && worldlyNames.has(member)) return member
  }
  if ((node.type === 'NewExpression' || node.type === 'CallExpression') && nameOf(node.callee) === 'Date') {
    return 'new Date'
  }
  const name = nameOf(node)
  return name !== undefined && worldlyNames.has(name) && isReference(parent, key) ? name : undefined
}

/** Tells whether an identifier at this place stands for a variable or type, not for the name of a member. */
function isReference(parent: Node | undefined, key: string): boolean {
  if (parent === undefined) return true
  if (parent.type.startsWith('Import') && parent.type !== 'ImportExpression') return false
  if (parent.type === 'ExportSpecifier') return key === 'local'
  if (parent.type === 'TSQualifiedName') return key === 'left'
  if (parent.computed === true) return true
  return key !== 'property' && key !== 'key'
}

function looseType(node: Node): { readonly name: string; readonly at: number } | undefined {
  switch (node.type) {
    case 'TSAnyKeyword':
      return { name: 'any', at: node.start }
    case 'TSNonNullExpression':
      return { name: '!', at: node.end }
    case 'TSTypeAssertion':
    case 'TSAsExpression': {
      const type = node.typeAnnotation
      if (!isNode(type)) return undefined
      const isConst = type.type === 'TSTypeReference' && nameOf(type.typeName) === 'const'
      return isConst ? undefined : { name: 'as', at: type.start }
    }
    default:
      return node.definite === true ? { name: '!', at: node.start } : undefined
  }
}

function isReexport(statement: Node): boolean {
  return (
    statement.type === 'ExportAllDeclaration' ||
    (statement.type === 'ExportNamedDeclaration' && isNode(statement.source))
  )
}

function walk(
  node: Node,
  parent: Node | undefined,
  key: string,
  visit: (node: Node, parent: Node | undefined, key: string) => void,
): void {
  visit(node, parent, key)
  for (const [childKey, value] of Object.entries(node)) {
    if (isNode(value)) walk(value, node, childKey, visit)
    else for (const child of nodes(value)) walk(child, node, childKey, visit)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function nameOf(value: unknown): string | undefined {
  if (!isNode(value) || value.type !== 'Identifier') return undefined
  return typeof value.name === 'string' ? value.name : undefined
}

function literal(value: unknown): string | undefined {
  const text = isNode(value) && value.type === 'Literal' ? value.value : undefined
  return typeof text === 'string' ? text : undefined
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}
