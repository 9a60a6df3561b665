import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './processes.ts'

/** A fenced block of the README. */
export interface Block {
  readonly language: string
  /** File that it shows, by the comment in its first line, relative to the root; `undefined` where it shows none. */
  readonly file: string | undefined
  /** Without that comment. */
  readonly text: string
}

/** The README of the repository. */
export const readme: string = readFileSync(join(root, 'README.md'), 'utf8')

const fenced = /^```(\w+)\n([\s\S]*?)^```$/gm

/** What of it is not in fenced blocks. */
export const prose: string = readme.replace(fenced, '')

/** Its fenced blocks, in order. */
export const blocks: readonly Block[] = [...readme.matchAll(fenced)].map(([, language = '', text = '']) => {
  const marked = /^(?:\/\/|#) (examples\/\S+)\n/.exec(text)
  return { language, file: marked?.[1], text: text.slice(marked?.[0].length ?? 0) }
})
