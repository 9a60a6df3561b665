/** A place in the text being parsed. The one thing a parse writes to; it never leaves this room. */
export interface Cursor {
  readonly text: string
  readonly strictBase64: boolean
  readonly refuseDuplicates: boolean
  /** Offset of the next character; where parsing failed, of the offending one. */
  at: number
  /** Why parsing failed. */
  problem: string
}

/** Character code of the next character, or -1 at the end. */
export function peek(cursor: Cursor): number {
  return cursor.at < cursor.text.length ? cursor.text.charCodeAt(cursor.at) : -1
}

/** Notes what is wrong at an offset, and gives the `undefined` that every parse function gives on failure. */
export function fail(cursor: Cursor, at: number, problem: string): undefined {
  cursor.at = at
  cursor.problem = problem
}

/** Skips spaces, and nothing else: a tab is white space only around the commas of lists and dictionaries. */
export function skipSpaces(cursor: Cursor): void {
  while (peek(cursor) === 32) cursor.at++
}

/** Skips optional white space, spaces and tabs. RFC 9110 section 5.6.3. */
export function skipBlanks(cursor: Cursor): void {
  for (let code = peek(cursor); code === 32 || code === 9; code = peek(cursor)) cursor.at++
}
