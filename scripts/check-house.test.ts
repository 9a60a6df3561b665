import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkHouse } from './check-house.ts'

const library = 'packages/countersign/src'

const soundHouse: Readonly<Record<string, string>> = {
  'packages/countersign/package.json': JSON.stringify({
    name: 'countersign',
    imports: { '#backend': { node: './dist/crypto/node.js', default: './dist/crypto/web.js' } },
    peerDependencies: { kysely: '*' },
  }),
  'packages/gateway/package.json': JSON.stringify({ name: '@countersign/gateway' }),
  [`${library}/index.ts`]:
    "export { now } from './clock/clock.ts'\nexport type { Spin } from './schemes/a.ts'\n",
  [`${library}/clock/clock.ts`]:
    '/** Now, in seconds. */\nexport const now = (): number => Math.floor(Date.now() / 1000) + new Date(0).getTime()\n',
  [`${library}/crypto/node.ts`]:
    "import { createHash } from 'node:crypto'\n/** Hash. */\nexport const hash = (b: Buffer): unknown => createHash(process.arch).update(b)\n",
  [`${library}/crypto/web.ts`]: '/** Name. */\nexport const web = 1\n',
  [`${library}/schemes/a.ts`]:
    "import type { hash } from '../crypto/node.ts'\nimport { now } from '../clock/clock.ts'\n/** Spin. */\nexport type Spin = typeof hash\nnow()\n",
  [`${library}/verifier/v.ts`]:
    "import * as backend from '#backend'\n/** V. */\nexport const v: unknown = { backend, process: 1, fetch: 2 }\n",
  [`${library}/verifier/v.test.ts`]:
    "import 'node:fs'\nimport '../stores/sql/sql.ts'\nimport '../index.ts'\nexport const t: any = Date.now()\n",
  [`${library}/stores/sql/sql.ts`]:
    "import type { Kysely } from 'kysely'\nimport '../memory.ts'\n/** Db. */\nexport type Db = Kysely<unknown>\n",
  [`${library}/stores/memory.ts`]: 'setInterval(() => fetch("https://example.com"), 1)\n',
  'packages/gateway/src/main.ts':
    "import 'countersign'\nimport 'node:fs'\nimport './proxy/proxy.ts'\nprocess.exitCode = 0\n",
  'packages/gateway/src/proxy/proxy.ts': 'setTimeout(() => Date.now(), 1)\n',
}

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'house-'))
  build(soundHouse)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function build(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

function brokenRules(): readonly string[] {
  return checkHouse(root).broken.map(({ path, line, text }) => `${path}:${line}: ${text}`)
}

describe('checkHouse', () => {
  it('finds nothing in a sound house', () => {
    const report = checkHouse(root)
    expect(report.broken).toEqual([])
    expect(report.reported).toEqual([])
    expect(report.fileCount).toBe(Object.keys(soundHouse).filter((path) => path.endsWith('.ts')).length)
  })

  const inLibrary: readonly [rule: string, path: string, text: string, finding: string][] = [
    [
      'an import from a higher floor',
      'schemes/up.ts',
      "import '../verifier/v.ts'",
      ':1: schemes/ (floor 3) imports from verifier/ above it (floor 4)',
    ],
    [
      'an import from a higher room of the same floor',
      'stores/up.ts',
      "import '../server/s.ts'",
      ':1: stores/ (floor 5) imports from server/ above it (floor 5)',
    ],
    [
      'a type import from a higher floor',
      'clock/up.ts',
      "\nimport type { Spin } from '../schemes/a.ts'",
      ':2: clock/ (floor 0) imports from schemes/ above it (floor 3)',
    ],
    [
      'an import() type from a higher floor',
      'clock/up.ts',
      "let a: import('../schemes/a.ts').Spin",
      ':1: clock/ (floor 0) imports from schemes/',
    ],
    [
      'a dynamic import from a higher floor',
      'clock/up.ts',
      "await import('../schemes/a.ts')",
      ':1: clock/ (floor 0) imports from schemes/',
    ],
    [
      'a re-export from a higher floor',
      'clock/up.ts',
      "export { Spin } from '../schemes/a.ts'",
      ':1: clock/ (floor 0) imports from schemes/',
    ],
    [
      'an import of the backend from below it',
      'keys/up.ts',
      "import '#backend'",
      ':1: keys/ (floor 1) imports from crypto/',
    ],
    ['a file outside every room', 'loose.ts', '', ':1: lies outside every room'],
    ['a room that is not in the table', 'cellar/wine.ts', '', ":1: 'cellar' is not a room"],
    [
      'a node: import outside the Node doors',
      'schemes/n.ts',
      "import 'node:crypto'",
      ":1: 'node:crypto' belongs to the Node doors",
    ],
    [
      'a type import of Node outside the Node doors',
      'server/express.ts',
      "import type { IncomingMessage } from 'node:http'",
      ":1: 'node:http' belongs",
    ],
    [
      'a bare built-in import outside the Node doors',
      'schemes/n.ts',
      "import 'fs/promises'",
      ":1: 'fs/promises' belongs",
    ],
    [
      'Buffer outside the Node doors',
      'schemes/n.ts',
      'const a = 1\nBuffer.from("a")',
      ":2: 'Buffer' belongs to the Node doors",
    ],
    ['Buffer as a type', 'schemes/n.ts', 'let a: Buffer', ":1: 'Buffer' belongs to the Node doors"],
    [
      'process through globalThis',
      'server/n.ts',
      'globalThis.process.exit()',
      ":1: 'process' belongs to the Node doors",
    ],
    ['Date.now outside clock/', 'stores/t.ts', 'Date.now()', ":1: 'Date.now' belongs to clock/"],
    ['new Date outside clock/', 'policy/t.ts', 'new Date()', ":1: 'new Date' belongs to clock/"],
    [
      'performance.now outside clock/',
      'policy/t.ts',
      'performance.now()',
      ":1: 'performance.now' belongs to clock/",
    ],
    [
      'fetch below floor 5',
      'keys/f.ts',
      "await fetch('https://example.com')",
      ":1: 'fetch' belongs to floor 5",
    ],
    [
      'setTimeout below floor 5',
      'replay/f.ts',
      'setTimeout(() => 1, 1)',
      ":1: 'setTimeout' belongs to floor 5",
    ],
    [
      'setInterval below floor 5',
      'replay/f.ts',
      'globalThis.setInterval(() => 1, 1)',
      ":1: 'setInterval' belongs to floor 5",
    ],
    ['another package below floor 5', 'schemes/p.ts', "import 'kysely'", ":1: 'kysely' is another package"],
    [
      'a package that is no peer',
      'stores/p.ts',
      "import type { A } from 'left-pad'",
      ":1: 'left-pad' is not among the optional peers",
    ],
    [
      'an import of the own package',
      'stores/p.ts',
      "import { now } from 'countersign'",
      ":1: imports its own package as 'countersign'",
    ],
    [
      'an import of a barrel',
      'stores/p.ts',
      "import { now } from '../index.ts'",
      ":1: imports the barrel '../index.ts'",
    ],
    [
      'an import that leads to no file',
      'stores/p.ts',
      "import './nothing.ts'",
      ":1: './nothing.ts' leads to no file",
    ],
    [
      'an import that leaves the package',
      'stores/p.ts',
      "import '../../../gateway/src/main.ts'",
      ":1: '../../../gateway/src/main.ts' leads out",
    ],
    [
      'an import of a test',
      'stores/p.ts',
      "import '../verifier/v.test.ts'",
      ":1: imports the test '../verifier/v.test.ts'",
    ],
    [
      'an index.ts with code of its own',
      'index.ts',
      "export { now } from './clock/clock.ts'\n/** One. */\nexport const one = 1",
      ':3: index.ts holds more than re-exports',
    ],
    [
      'an exported function without docstring',
      'bytes/b.ts',
      '// no\nexport function naked(): void {}',
      ":2: 'naked' is exported without a docstring",
    ],
    [
      'an exported type without docstring',
      'bytes/b.ts',
      '/* no */\nexport interface Naked {}',
      ":2: 'Naked' is exported without a docstring",
    ],
    [
      'a name exported in a list without docstring',
      'bytes/b.ts',
      'const naked = 1\nexport { naked }',
      ":2: 'naked' is exported without a docstring",
    ],
    [
      'a default export without docstring',
      'bytes/b.ts',
      'export default 1',
      ":1: 'default' is exported without a docstring",
    ],
    ['an unexplained as', 'bytes/b.ts', '// why\nconst a = 1 as unknown', ":2: 'as' does not explain itself"],
    [
      'an unexplained !',
      'bytes/b.ts',
      'let a: string | undefined\na!.length',
      ":2: '!' does not explain itself",
    ],
    ['an unexplained any', 'bytes/b.ts', 'let a: any', ":1: 'any' does not explain itself"],
    ['text that does not parse', 'bytes/b.ts', 'const = 1', ':1: '],
  ]
  it.each(inLibrary)('refuses %s', (_rule, path, text, finding) => {
    build({ [`${library}/${path}`]: `${text}\n`, [`${library}/server/s.ts`]: '' })
    const broken = brokenRules()
    expect(broken).toHaveLength(1)
    expect(broken[0]).toContain(`${library}/${path}${finding}`)
  })

  it('refuses a circle of files inside a room, type imports included', () => {
    build({
      [`${library}/bytes/a.ts`]: "import type { C } from './b.ts'\n/** A. */\nexport type A = C\n",
      [`${library}/bytes/b.ts`]: "import { c } from './c.ts'\n/** C. */\nexport type C = typeof c\n",
      [`${library}/bytes/c.ts`]: "import './a.ts'\n/** C. */\nexport const c = 1\n",
    })
    expect(brokenRules()).toEqual([
      `${library}/bytes/a.ts:1: circle: bytes/a.ts -> bytes/b.ts -> bytes/c.ts -> bytes/a.ts`,
    ])
  })

  it('refuses a circle of rooms in the gateway even where no two files form one', () => {
    build({
      'packages/gateway/src/proxy/a.ts': "import '../admin/b.ts'\n",
      'packages/gateway/src/admin/b.ts': '',
      'packages/gateway/src/admin/c.ts': "import '../proxy/proxy.ts'\n",
    })
    expect(brokenRules()).toEqual(['packages/gateway/src/admin:1: circle: admin -> proxy -> admin'])
  })

  it.each([
    ['packages/gateway/src/proxy/utils.ts'],
    ['packages/cli/src/lib/a.ts'],
    ['packages/countersign/src/bytes/helpers.test.ts'],
    ['packages/gateway/src/proxy/header-helpers.ts'],
    ['scripts/common.mjs'],
    ['bench/core/a.ts'],
  ])('refuses the name of %s', (path) => {
    build({ [path]: '' })
    expect(brokenRules()).toHaveLength(1)
    expect(brokenRules()[0]).toContain('is no name for a room or file')
  })

  it('refuses barrels and unexplained casts in the gateway and the command line too', () => {
    build({
      'packages/gateway/src/proxy/index.ts': "export * from './proxy.ts'\n",
      'packages/gateway/src/b.ts': "import './proxy/index.ts'\nconst a = 1 as unknown\n",
      'packages/cli/src/c.ts': "import '../../countersign/src/clock/clock.ts'\n",
    })
    expect(brokenRules()).toEqual([
      "packages/gateway/src/b.ts:2: 'as' does not explain itself in a comment on its line",
      "packages/gateway/src/b.ts:1: imports the barrel './proxy/index.ts'",
      "packages/cli/src/c.ts:1: '../../countersign/src/clock/clock.ts' leads out of the package",
    ])
  })

  it('lets a cast pass that explains itself, and as const', () => {
    build({ [`${library}/bytes/b.ts`]: 'const a = 1 as unknown // the one place\nconst b = [a] as const\n' })
    expect(brokenRules()).toEqual([])
  })

  it('is not misled by comments, strings, members and patterns', () => {
    const lines = [
      "// import 'node:fs'",
      "const a = 'new Date() Buffer process'",
      "const b = { Buffer: a, import: 'fetch()' }",
      'b.Buffer',
      'const c = /Date.now()/',
      'class D { process = c; fetch() {} }',
    ]
    build({ [`${library}/bytes/b.ts`]: `${lines.join('\n')}\n` })
    expect(brokenRules()).toEqual([])
  })

  it('reports long files and long docstrings without failing them', () => {
    const longDoc = `/**\n${' * line\n'.repeat(9)} */\nexport const a = 1\n`
    build({
      [`${library}/bytes/long.ts`]: '\n'.repeat(301),
      [`${library}/bytes/long.test.ts`]: '\n'.repeat(401),
      [`${library}/bytes/fits.ts`]: '\n'.repeat(300),
      [`${library}/bytes/fits.test.ts`]: '\n'.repeat(400),
      [`${library}/bytes/wordy.ts`]: longDoc,
    })
    expect(brokenRules()).toEqual([])
    expect(checkHouse(root).reported.map(({ text }) => text)).toEqual([
      '401 lines; at most 400 wanted',
      '301 lines; at most 300 wanted',
      "the docstring of 'a' is over 8 lines",
    ])
  })
})
