import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One option of a curl configuration: its long name, and its value as bytes. */
export type ConfigLine = readonly [name: string, value: Uint8Array]

/** Writes a configuration of curl. Values are quoted; what curl reads is what was given, byte by byte. */
export function configText(lines: readonly ConfigLine[]): Buffer {
  return Buffer.concat(
    lines.flatMap(([name, value]) => [
      Buffer.from(`${name} = "`),
      Buffer.from(
        Buffer.from(value)
          .toString('latin1')
          .replace(/["\\\t\n\r\v]/g, (character) => escapes[character] ?? character),
        'latin1',
      ),
      Buffer.from('"\n'),
    ]),
  )
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\v': '\\v',
}

/**
 * Gives an open file with these bytes that has no name any more: only this process and those it hands the descriptor to can read it.
 * A pipe would not do: those of Node are sockets, which /dev/fd does not open. The caller closes it.
 */
export function namelessFile(bytes: Uint8Array): number {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-'))
  try {
    const descriptor = openSync(join(directory, 'config'), 'wx+', 0o600)
    // Its name goes before anything is in it.
    rmSync(directory, { recursive: true })
    try {
      // At a position: where /dev/fd shares the offset, reading still starts at the beginning.
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, at)
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    return descriptor
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
