const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Tells whether text is a token: a method, a field name. RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return token.test(text)
}

/** Takes a field line apart, blanks around the value left out; `undefined` where it is none. RFC 9112 section 5. */
export function readFieldLine(line: string): readonly [name: string, value: string] | undefined {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  if (!isToken(name) || line.includes('\0') || line.includes('\r') || line.includes('\n')) return undefined
  // By hand: a regular expression with blanks at both ends takes cubic time on a line full of them, trim() takes more than blanks.
  let start = colon + 1
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start++
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--
  return [name, line.slice(start, end)]
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
