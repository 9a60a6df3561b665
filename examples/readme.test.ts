import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cavage, flaskHmac, flaskHmacauth, oauthMac, rfc9421, type Scheme, ustudioHmac } from 'countersign'
import { describe, expect, it } from 'vitest'
import { root } from './proving/processes.ts'
import { blocks, prose, readme } from './proving/readme.ts'

const shown = blocks.flatMap(({ file }) => file ?? [])

describe('the README', () => {
  it('shows the examples as they are', () => {
    for (const { file, text } of blocks) {
      if (file !== undefined) expect(text, file).toBe(readFileSync(join(root, file), 'utf8'))
    }
    expect(shown).toEqual([
      'examples/express-server.ts',
      'examples/signed-fetch.ts',
      'examples/invoices-gateway.yaml',
      'examples/forward-auth.yaml',
      'examples/nginx.conf',
      'examples/Caddyfile',
      'examples/traefik.yaml',
      'examples/client.sh',
      'examples/client.py',
    ])
  })

  it('shows no program or configuration that is not a file', () => {
    const unproven = blocks.filter(({ file }) => file === undefined).map(({ language }) => language)
    expect(unproven.filter((language) => !['sh', 'text', 'json'].includes(language))).toEqual([])
    // None of them escapes the pattern that finds blocks.
    expect(readme.match(/^```/gm)).toHaveLength(2 * blocks.length)
  })

  it('shows or links every example', () => {
    const files = readdirSync(join(root, 'examples')).filter((name) =>
      /(?<!test)\.(?:ts|sh|py|yaml|conf)$|file$/.test(name),
    )
    expect(
      files.filter((name) => !shown.includes(`examples/${name}`) && !readme.includes(`(examples/${name})`)),
    ).toEqual([])
  })

  it('links only what is there', () => {
    const targets = [...prose.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target)
    expect(targets.length).toBeGreaterThan(5)
    expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([])
  })

  it('names scripts, files and imports that exist', () => {
    const manifest: { readonly scripts: object } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    )
    const named = [...readme.matchAll(/npm (?:run )?(start|test|build|bench)\b/g)].map(
      ([, name = '']) => name,
    )
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'build', 'bench']))
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([])

    const paths = [...readme.matchAll(/(?:bench|packages|examples)\/[\w./-]*\w/g)].map(([path]) => path)
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])

    const library = readFileSync(join(root, 'packages/countersign/package.json'), 'utf8')
    const { exports }: { readonly exports: object } = JSON.parse(library)
    const imports = [...readme.matchAll(/(?<=['`])countersign(\/[\w/-]+)(?=['`])/g)].map(
      ([, path]) => `.${path}`,
    )
    expect(imports.length).toBeGreaterThan(5)
    expect(imports.filter((path) => !(path in exports))).toEqual([])
  })

  it.each<[string, Scheme]>([
    ['cavage()', cavage()],
    ["flaskHmac({ variant: 'path' })", flaskHmac({ variant: 'path' })],
    ['flaskHmacauth()', flaskHmacauth()],
    ['oauthMac()', oauthMac()],
    ['rfc9421()', rfc9421()],
    ['ustudioHmac()', ustudioHmac()],
  ])('says of %s what the scheme says of itself', (call, scheme) => {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${call}\``)) ?? ''
    const [, , algorithms = '', , uncovered = ''] = row.split('|')
    expect([...algorithms.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).toEqual(scheme.algorithms)
    for (const what of scheme.traits.uncovered) expect(uncovered).toContain(what)
    expect(readme).toContain(`\`${scheme.name}\``)
  })

  it('lists every scheme of the library and no other', () => {
    const names = readFileSync(join(root, 'packages/countersign/src/index.ts'), 'utf8')
    const exported = [...names.matchAll(/^export \{ ((?!is)\w+) \} from '.\/schemes\//gm)].map(
      ([, name]) => name,
    )
    expect(exported.length).toBeGreaterThan(1)
    expect([...readme.matchAll(/^\| `(\w+)\(/gm)].map(([, name]) => name)).toEqual(exported)
  })
})
