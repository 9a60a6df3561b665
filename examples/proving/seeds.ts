import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SeedCase, type SeedFile, seedBytes } from 'countersign/testing'
import { root } from './processes.ts'

/** Gives the requests that were recorded from an original, by the folder in `vectors`. */
export function seedsOf(folder: string): readonly SeedCase[] {
  const file: SeedFile = JSON.parse(readFileSync(join(root, `vectors/${folder}/seed.json`), 'utf8'))
  return file.cases
}

/** Gives one of them by the end of its id, such as `s036`. */
export function seedOf(folder: string, number: string): SeedCase {
  const found = seedsOf(folder).find(({ id }) => id.endsWith(`-${number}`))
  if (found === undefined) throw new Error(`${folder} has no ${number}`)
  return found
}

/** Gives the request as it was recorded, one character for each byte. */
export function wire({ request }: SeedCase): string {
  const fields = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const body = Buffer.from(seedBytes(request.bodyBase64)).toString('latin1')
  return `${request.method} ${request.target} HTTP/1.1\r\n${fields}\r\n${body}`
}
