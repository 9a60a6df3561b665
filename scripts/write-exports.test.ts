import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportsAgree, exportsOf, writeExports } from './write-exports.ts'

const internal = '/**\n * Serves the clients.\n * @internal\n */\nexport const b = 1\n'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exports-'))
  const files = [
    'package.json',
    'src/index.ts',
    'src/server/node-http.ts',
    'src/server/node-http.test.ts',
    'src/server/index.ts',
    'src/client/fetch.ts',
    'src/stores/memory.ts',
    'src/stores/sql/sql.ts',
    'src/stores/sql/tables.ts',
    'src/stores/fixtures/rows.ts',
    'src/testing/testing.ts',
    'src/testing/clock.ts',
    'src/crypto/node.ts',
  ]
  for (const file of files) put(file, '')
  put('src/client/outgoing.ts', `import './fetch.ts'\n${internal}${internal}`)
  put('src/client/undici.ts', `${internal}/** A door. */\nexport const a = 1\n`)
  put('package.json', '{ "name": "x", "exports": {}, "version": "1.0.0" }')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

describe('exportsOf', () => {
  it('gives one subpath for each door, none for tests, inner files and other rooms', () => {
    expect(Object.keys(exportsOf(folder))).toEqual([
      '.',
      './client/fetch',
      './client/undici',
      './server/node-http',
      './stores/memory',
      './stores/sql',
      './testing',
      './package.json',
    ])
  })

  it('points each subpath at what tsc makes of its file', () => {
    const map = exportsOf(folder)
    expect(map['./stores/sql']).toEqual({
      types: './dist/stores/sql/sql.d.ts',
      default: './dist/stores/sql/sql.js',
    })
    expect(map['./testing']).toEqual({
      types: './dist/testing/testing.d.ts',
      default: './dist/testing/testing.js',
    })
    expect(map['.']).toEqual({ types: './dist/index.d.ts', default: './dist/index.js' })
  })
})

describe('exportsAgree', () => {
  it('is false until the map is written, and again when a door is added', () => {
    expect(exportsAgree(folder)).toBe(false)
    writeExports(folder)
    expect(exportsAgree(folder)).toBe(true)
    put('src/server/express.ts', '')
    expect(exportsAgree(folder)).toBe(false)
  })
})

describe('writeExports', () => {
  it('leaves the rest of package.json as it is', () => {
    writeExports(folder)
    const written = readFileSync(join(folder, 'package.json'), 'utf8')
    expect(Object.keys(JSON.parse(written))).toEqual(['name', 'exports', 'version'])
    expect(written.endsWith('}\n')).toBe(true)
  })
})
