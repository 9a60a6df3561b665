/**
 * Header field lines as received: name, value, name, value, in order, nothing joined, folded or dropped.
 * The form of Node's `rawHeaders`. Each character of a value is one byte (Latin-1).
 */
export type FieldLines = readonly string[]

/**
 * Tells whether a field name as received is `lowerName`, whatever its case. `usualName`: the spelling to expect, looked at first:
 * two equal strings compare in a third of the time that letter by letter takes.
 */
export function isFieldName(received: string, lowerName: string, usualName: string = lowerName): boolean {
  const { length } = lowerName
  if (received.length !== length) return false
  if (received === usualName) return true
  for (let i = 0; i < length; i++) {
    const code = received.charCodeAt(i)
    // `toLowerCase` would make a new string for every name of the right length.
    if ((code >= 65 && code <= 90 ? code + 32 : code) !== lowerName.charCodeAt(i)) return false
  }
  return true
}

/** Gives the usual spelling of a lower-case field name: `content-type` is sent as `Content-Type`. */
export function usualFieldName(lowerName: string): string {
  return lowerName.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}

/** Gives the values of a field in order, each without blanks around it. */
export function fieldValues(lines: FieldLines, lowerName: string): readonly string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    if (isFieldName(lines[i] ?? '', lowerName)) values.push(trimBlanks(lines[i + 1] ?? ''))
  }
  return values
}

/**
 * Gives the one value of a field with its lines joined by comma and space, or `undefined` where it is absent.
 * RFC 9421 section 2.1.
 */
export function fieldValue(lines: FieldLines, lowerName: string): string | undefined {
  let joined: string | undefined
  for (let i = 0; i + 1 < lines.length; i += 2) {
    if (isFieldName(lines[i] ?? '', lowerName)) {
      const value = trimBlanks(lines[i + 1] ?? '')
      joined = joined === undefined ? value : `${joined}, ${value}`
    }
  }
  return joined
}

/** How many lines a field has. */
export function fieldCount(lines: FieldLines, lowerName: string): number {
  let count = 0
  for (let i = 0; i + 1 < lines.length; i += 2) if (isFieldName(lines[i] ?? '', lowerName)) count++
  return count
}

/** Removes optional white space (space and tab, nothing else) from both ends. RFC 9110 section 5.6.3. */
export function trimBlanks(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start++
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--
  return start === 0 && end === value.length ? value : value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
