import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readManifest, record } from './manifest.ts'
import { root } from './prepare.mjs'

const folders = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)
const manifestOf = (folder: string) => readManifest(join(root, folder, 'package.json'))
const names = new Set(folders.map((folder) => manifestOf(folder).name))

describe.each(folders)('%s', (folder) => {
  const manifest = manifestOf(folder)

  it('carries the licence of the repository', () => {
    const text = (path: string) => readFileSync(join(root, path), 'utf8')
    expect(text(`${folder}/LICENSE`)).toBe(text('LICENSE'))
    expect(manifest.all.license).toBe('MIT')
  })

  it('has a README', () => {
    expect(existsSync(join(root, folder, 'README.md'))).toBe(true)
  })

  it('has the version of the library and depends on exactly that of its neighbours', () => {
    const { version } = manifestOf('packages/countersign')
    expect(manifest.version).toBe(version)
    for (const [name, range] of Object.entries(record(manifest.all.dependencies))) {
      if (names.has(name)) expect({ name, range }).toEqual({ name, range: version })
    }
  })

  it('runs on the Node versions of the repository', () => {
    expect(manifest.all.engines).toEqual(manifestOf('.').all.engines)
  })
})

describe('packages/countersign', () => {
  it('depends on nothing at run time, and on its peers only by choice', () => {
    const { all, peers } = manifestOf('packages/countersign')
    expect(Object.keys(record(all.dependencies))).toEqual([])
    const optional = Object.entries(record(all.peerDependenciesMeta))
      .filter(([, meta]) => record(meta).optional === true)
      .map(([name]) => name)
    expect(new Set(optional)).toEqual(peers)
  })
})

describe('package-lock.json', () => {
  const packages = record(record(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))).packages)

  it('names every platform of an optional dependency, so that npm ci works on all of them', () => {
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys(record(record(entry).optionalDependencies)).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    )
    expect(missing).toEqual([])
  })

  it('names no registry but the public one, which npm replaces by the one configured', () => {
    const hosts = Object.values(packages)
      .map((entry) => record(entry).resolved)
      .filter((resolved) => typeof resolved === 'string' && resolved.includes('://'))
      .map((resolved) => new URL(String(resolved)).hostname)
    expect(hosts.filter((host) => host !== 'registry.npmjs.org')).toEqual([])
  })
})
