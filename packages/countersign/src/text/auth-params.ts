/** One parameter of an authentication scheme, as sent. RFC 9110 section 11.2. */
export interface AuthParam {
  readonly name: string
  /** Without its quotes. */
  readonly value: string
  readonly isQuoted: boolean
}

// `name=value` up to the comma behind it or the end. A quoted value has no escapes: a backslash, which some unquote and some keep,
// has no single reading. Bytes of 0xA0 on are text of old clients.
const parameter =
  /[ \t]*([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64})=(?:"([\x20\x21\x23-\x5b\x5d-\x7e\xa0-\xff]*)"|([A-Za-z0-9!#$%&'*+.^_`|~-]+))[ \t]*(,|$)/y
const maxParameters = 16
const maxLength = 8192

/**
 * Reads a list of parameters, comma-separated with optional blanks around the commas: `a="x", b=7`. Gives what is wrong as text where
 * it is no such list, has over 16 parameters or over 8192 characters. Names may repeat and are given as sent. RFC 9110 section 11.2.
 */
export function parseAuthParams(text: string): readonly AuthParam[] | string {
  if (text.length > maxLength) return `the parameters are over ${maxLength} characters`
  const found: AuthParam[] = []
  parameter.lastIndex = 0
  for (;;) {
    const match = parameter.exec(text)
    if (match === null) return 'a parameter is not name="value"'
    if (found.length === maxParameters) return `there are over ${maxParameters} parameters`
    const [, name = '', quoted, bare = '', separator] = match
    found.push({ name, value: quoted ?? bare, isQuoted: quoted !== undefined })
    if (separator === '') return found
  }
}
