/** What a command has to say: for people, for programs, and as exit code. */
export interface Result {
  /** For people; ends with a line break unless it is empty. */
  readonly text: string
  /** For programs, printed with `--json`. */
  readonly json: unknown
  /** Default 0. */
  readonly exitCode?: 0 | 1
}

/** Writes name and value pairs as aligned lines; pairs without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const shown = pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('')
}

/** Writes rows as aligned columns under a heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()
  return `${all.map(line).join('\n')}\n`
}

/**
 * Makes text that came from outside safe for a terminal: control, formatting and unassigned characters are escaped, and
 * all but the first 256 characters cut off. A key id may hold escape sequences, or turn the line around.
 */
export function printable(text: string): string {
  const cut = text.length > 256 ? `${text.slice(0, 256)}...` : text
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
