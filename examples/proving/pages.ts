import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Ending, root, run, type Service, startService } from './processes.ts'

/** A page of `docs/migrate`. */
export interface Page {
  /** Without `.md`. */
  readonly name: string
  readonly text: string
}

const folder = join(root, 'docs/migrate')

/** Those pages, by name. */
export const pages: readonly Page[] = readdirSync(folder)
  .sort()
  .map((file) => ({ name: file.replace(/\.md$/, ''), text: readFileSync(join(folder, file), 'utf8') }))

/** Gives a page by its name. */
export function pageOf(name: string): Page {
  const page = pages.find((each) => each.name === name)
  if (page === undefined) throw new Error(`there is no page ${name}`)
  return page
}

/** Gives the fenced blocks of a page that are in a language. */
export function blocksOf(page: Page, language: string): readonly string[] {
  return [...page.text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, tag, text = '']) =>
    tag === language ? [text] : [],
  )
}

/** Gives the first column of the table below a heading, name by name. */
export function namesBelow(page: Page, heading: string): readonly string[] {
  const below = page.text.split(`\n## ${heading}`)[1]?.split('\n## ')[0] ?? ''
  return below
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

/** The programs of all pages, compiled against the packages as built, in a folder where their imports resolve. */
export interface Programs {
  /** What the compiler said. */
  readonly compiled: Ending
  /** Compiles one of a page, the only one that has this text, after `edit`; gives the URL of the module. */
  urlOf(name: string, marker: string, edit?: (script: string) => string): string
  /** Starts one on a free port of 127.0.0.1, at `clock` in seconds since the epoch or at the real time. */
  serve(options: {
    readonly name: string
    readonly env: Readonly<Record<string, string>>
    readonly clock?: number | undefined
    /** Further statements, for a program that leaves the start to its caller. */
    readonly start?: string | undefined
  }): Promise<{ readonly port: number } & Service>
  remove(): void
}

/** Compiles every program of the pages, and further ones by name. */
export async function compilePages(further: Readonly<Record<string, string>>): Promise<Programs> {
  // Hidden, so that nobody who compiles the examples meanwhile meets files that come and go.
  const place = mkdtempSync(join(root, 'examples/.migrate-'))
  const numbered = pages.flatMap((page) =>
    blocksOf(page, 'ts').map((text, i) => ({
      name: page.name,
      file: join(place, `${page.name}-${i}`),
      text,
    })),
  )
  for (const { file, text } of numbered) writeFileSync(`${file}.ts`, text)
  for (const [name, text] of Object.entries(further)) writeFileSync(join(place, `${name}.ts`), text)
  const compilerOptions = {
    noEmit: false,
    rootDir: '.',
    sourceMap: false,
    rewriteRelativeImportExtensions: true,
  }
  const project = { extends: '../tsconfig.json', compilerOptions, include: ['*.ts'] }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(project))
  const compiled = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', place])

  let made = 0
  function scriptOf(name: string, marker: string, edit: (script: string) => string): string {
    const found = numbered.filter((each) => each.name === name && each.text.includes(marker))
    const [program] = found
    if (program === undefined || found.length > 1)
      throw new Error(`${name}: ${found.length} programs with ${marker}`)
    const script = `${program.file}-${made++}.mjs`
    writeFileSync(script, edit(readFileSync(`${program.file}.js`, 'utf8')))
    return script
  }
  return {
    compiled,
    urlOf: (name, marker, edit = (script) => script) => pathToFileURL(scriptOf(name, marker, edit)).href,
    async serve({ name, env, clock, start = '' }) {
      const listening = ".listen(0, '127.0.0.1', function () { console.log('port', this.address().port) })"
      const script = scriptOf(
        name,
        'app.listen',
        (text) => `${text.replace(/\.listen\(\d+\)/, listening)}\n${start}`,
      )
      const now = clock === undefined ? [] : ['--import', `data:text/javascript,Date.now=()=>${clock * 1000}`]
      const service = await startService([...now, script], env, /port \d+/)
      return { ...service, port: Number(/port (\d+)/.exec(service.out())?.[1]) }
    },
    remove: () => rmSync(place, { recursive: true }),
  }
}
