import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '@countersign/gateway'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, compilePages, namesBelow, type Programs, pageOf, pages } from './proving/pages.ts'
import { root } from './proving/processes.ts'
import { readme } from './proving/readme.ts'
import { type Relay, startRelay } from './proving/relay.ts'
import { seedOf, seedsOf, wire } from './proving/seeds.ts'

interface Ancestor {
  readonly name: string
  /** Folder of the requests that were recorded from the original. */
  readonly vectors: string
  /** Type of the names in `compatible`, and whether the page lists every one. */
  readonly forms?: readonly [type: string, extent: 'all' | 'some']
  readonly env: Readonly<Record<string, string>>
  readonly start?: string
  /** A recorded request, what the program of the page answers, and how that goes when it is sent once more. */
  readonly accepted: string
  readonly says: string
  readonly again: number
  /** What somebody changes in it on the way, and the recorded refusal of a like change. */
  readonly change: readonly [from: string, to: string]
  readonly refused: string
}

const ancestors: readonly Ancestor[] = [
  {
    name: 'auth-mac',
    vectors: 'oauth-mac',
    forms: ['OauthMacCompatible', 'all'],
    env: { MAC_KEY: '489dks293j39' },
    accepted: 's036',
    says: 'testuser',
    again: 401,
    change: ['nonce="dj83hs9s"', 'nonce="dj83hs9t"'],
    refused: 's100',
  },
  {
    name: 'flask-cavage',
    vectors: 'cavage',
    forms: ['CavageCompatible', 'some'],
    env: { ACCESS_KEY_1: '123456789' },
    accepted: 's023',
    says: '{"studio":"North"}',
    again: 200,
    change: ['Mikey', 'Mikez'],
    refused: 's115',
  },
  {
    name: 'flask-hmac',
    vectors: 'flask-hmac',
    forms: ['FlaskHmacForm', 'all'],
    env: { HMAC_KEY: 's3cr3tk3y', KEY_OF_A: 'f00', KEY_OF_B: 'b4r' },
    accepted: 's043',
    says: 'orders of a',
    again: 200,
    change: ['Signature: YTpaaGNZ', 'Signature: YTpaaGNa'],
    refused: 's091',
  },
  {
    name: 'flask-hmacauth',
    vectors: 'flask-hmacauth',
    forms: ['FlaskHmacauthForm', 'all'],
    env: { ADMIN_SECRET: 'adm1n-s3cret', GUEST_SECRET: 'gu3st-s3cret' },
    accepted: 's001',
    says: 'created by admin',
    again: 200,
    change: ['foo=bar', 'foo=baz'],
    refused: 's110',
  },
  {
    name: 'ustudio-hmac-tornado',
    vectors: 'ustudio-hmac',
    env: { STUDIO_SECRET: 'correct horse battery' },
    start: "serve({ secretOf: async (key) => (key === 'studio-a' ? process.env.STUDIO_SECRET : undefined) })",
    accepted: 's008',
    says: 'stored for studio-a',
    again: 200,
    change: ['title=One', 'title=Two'],
    refused: 's065',
  },
]

let programs: Programs
beforeAll(async () => {
  const lists = ancestors.flatMap(({ name, forms }) => {
    if (forms === undefined) return []
    const [type, extent] = forms
    const keys = namesBelow(pageOf(name), 'Options for odd clients').map((form) => `'${form}': true`)
    const form = `{ [form in ${type}]${extent === 'all' ? '' : '?'}: true }`
    return [
      [
        `${name}-forms`,
        `import type { ${type} } from 'countersign'\nexport const forms: ${form} = { ${keys} }\n`,
      ],
    ]
  })
  programs = await compilePages(Object.fromEntries(lists))
}, 30_000)
afterAll(() => {
  programs?.remove()
})

const statusOf = (answer: string): number => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1])

describe('the pages for those who move', () => {
  it('are one for each ancestor, linked from the README and the list of reasons', () => {
    expect(pages.map(({ name }) => name)).toEqual(ancestors.map(({ name }) => name))
    const reasons = readFileSync(join(root, 'docs/reasons.md'), 'utf8')
    for (const { name } of pages) {
      expect(readme).toContain(`(docs/migrate/${name}.md)`)
      expect(reasons).toContain(`(migrate/${name}.md)`)
    }
  })

  it('have programs that compile against the packages as built', () => {
    expect(programs.compiled).toMatchObject({ out: '', err: '', exitCode: 0 })
  })
})

describe.each(ancestors)('the page $name', (ancestor) => {
  const page = pageOf(ancestor.name)

  it('shows what there was, what there is, the gateway, options, refusals and warnings', () => {
    expect(page.text).toMatch(
      /\nBefore, in Python:\n\n```python\n[\s\S]+?\nAfter, with Express[\s\S]+?```ts\n/,
    )
    expect(page.text).toMatch(/\bNothing\s+changes for clients\b/)
    const headings = [...page.text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    expect(headings.map((heading) => heading?.replace(' for odd clients', ''))).toEqual(
      expect.arrayContaining([
        'The server',
        'What is refused now',
        'Options',
        'What a warning means',
        'Onwards',
      ]),
    )
    expect(blocksOf(page, 'yaml').length).toBeGreaterThan(0)
    expect(page.text.match(/^```/gm)).toHaveLength(
      2 * ['python', 'ts', 'yaml'].flatMap((language) => blocksOf(page, language)).length,
    )
  })

  it('counts the recorded requests, and names files that exist', () => {
    expect(page.text).toMatch(
      new RegExp(`\\b${seedsOf(ancestor.vectors).length}\\s+requests\\s+recorded from the\\s+original`),
    )
    const files = [...page.text.matchAll(/`(vectors\/[^`]+)`/g)].map(([, file = '']) => file)
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
  })

  it('explains warnings that exist', () => {
    const reasons = readFileSync(join(root, 'docs/reasons.md'), 'utf8').split('\n## Warnings')[1]
    const warnings = namesBelow(page, 'What a warning means')
    expect(warnings.length).toBeGreaterThan(1)
    expect(warnings.filter((warning) => !reasons?.includes(`| \`${warning}\` |`))).toEqual([])
  })

  it('has configurations that the gateway reads', () => {
    for (const text of blocksOf(page, 'yaml')) expect(readConfig(text), text).toMatchObject({ ok: true })
  })

  describe('as a program', () => {
    let server: Awaited<ReturnType<Programs['serve']>>
    let relay: Relay
    beforeAll(async () => {
      const { clock } = seedOf(ancestor.vectors, ancestor.accepted)
      const { name, env, start } = ancestor
      server = await programs.serve({ name, env, start, clock })
      relay = await startRelay(server.port)
    }, 30_000)
    afterAll(async () => {
      await relay?.close()
      await server?.stop()
    })

    it('refuses a request of the original client that somebody changed, as the original did', async () => {
      const [from, to] = ancestor.change
      const request = wire(seedOf(ancestor.vectors, ancestor.accepted))
      expect(request).toContain(from)
      const refusal = seedOf(ancestor.vectors, ancestor.refused)
      expect(refusal.kind).toBe('rejected')
      expect(statusOf(await relay.send(request.replace(from, to)))).toBe(refusal.verdict.status)
    })

    it('serves that request as it was recorded', async () => {
      const seed = seedOf(ancestor.vectors, ancestor.accepted)
      expect(seed).toMatchObject({
        kind: 'valid',
        signer: { source: expect.stringMatching(/original|documented/) },
      })
      const answer = await relay.send(wire(seed))
      expect([statusOf(answer), answer.split('\r\n\r\n')[1]]).toEqual([200, ancestor.says])
      expect(statusOf(await relay.send(wire(seed)))).toBe(ancestor.again)
    })
  })
})
