import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isInstalled, isNodeNewEnough, root } from './prepare.mjs'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prepare-'))
  mkdirSync(join(folder, 'node_modules'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface LockEntry {
  readonly version?: string
  readonly integrity?: string
  readonly optional?: boolean
}

function lock(path: string, packages: Readonly<Record<string, LockEntry>>): void {
  writeFileSync(join(folder, path), JSON.stringify({ packages }))
}

const wanted = {
  '': { version: '0.1.0' },
  'packages/cli': { version: '0.1.0' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/a/node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/other-platform': { version: '3.0.0', integrity: 'sha512-c', optional: true },
}
const held = {
  'node_modules/a': wanted['node_modules/a'],
  'node_modules/a/node_modules/b': wanted['node_modules/a/node_modules/b'],
}

describe('isInstalled', () => {
  it('is true for what npm itself left in this repository', () => {
    expect(isInstalled(root)).toBe(true)
  })

  it('is true where all but packages for other platforms are there', () => {
    lock('package-lock.json', wanted)
    lock('node_modules/.package-lock.json', held)
    expect(isInstalled(folder)).toBe(true)
  })

  it.each([
    ['the record of npm is missing', undefined],
    ['a package is missing', { 'node_modules/a': held['node_modules/a'] }],
    ['a version differs', { ...held, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['the content differs', { ...held, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-z' } }],
    [
      'an optional package is there in another version',
      { ...held, 'node_modules/other-platform': { version: '2.9.0', integrity: 'sha512-c' } },
    ],
  ])('is false where %s', (_case, there) => {
    lock('package-lock.json', wanted)
    if (there !== undefined) lock('node_modules/.package-lock.json', there)
    expect(isInstalled(folder)).toBe(false)
  })
})

describe('isNodeNewEnough', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.21.0', '100.0.0'])('takes %s', (version) => {
    expect(isNodeNewEnough(version)).toBe(true)
  })

  it.each(['20.18.9', '20.2.0', '18.20.8', '9.9.9'])('refuses %s', (version) => {
    expect(isNodeNewEnough(version)).toBe(false)
  })
})
