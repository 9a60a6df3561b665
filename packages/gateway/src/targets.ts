const delimiters = '/\\%;?#'

/**
 * Says why a request target has more than one reading, or gives `undefined` where it has one. Routers, proxies and services
 * decode and tidy targets differently; what they could disagree on is refused: dot segments, empty segments, `;`, a backslash,
 * and escapes of these, of `%`, `?`, `#` and of control characters. Only the path is looked at. RFC 3986 section 6.2.2.
 */
export function targetAmbiguity(target: string): string | undefined {
  if (target.charCodeAt(0) !== 47) return 'it is not a path'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  if (!/[%;\\]|\/[./]/.test(path)) return undefined
  if (path.includes('\\')) return 'it has a backslash'
  if (path.includes(';')) return 'it has a semicolon'
  if (path.includes('//')) return 'it has an empty segment'
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 1)) {
    const code = escapedCode(path, at)
    if (code === undefined) return 'it has a percent sign that is not an escape'
    if (code < 32 || code === 127) return 'it has an escaped control character'
    if (delimiters.includes(String.fromCharCode(code))) return 'it has an escaped delimiter'
  }
  for (const segment of path.split('/')) {
    if (/^(?:\.|%2e){1,2}$/i.test(segment)) return 'it has a dot segment'
  }
  return undefined
}

/** Gives the readings of a path that a lenient service may have: escapes of plain characters decoded, and letter case ignored as well. */
export function lenientReadings(path: string): { readonly decoded: string; readonly folded: string } {
  const decoded = path.includes('%') ? path.replace(/%[0-9a-fA-F]{2}/g, plainCharacter) : path
  return { decoded, folded: decoded.toLowerCase() }
}

function plainCharacter(escaped: string): string {
  const code = escapedCode(escaped, 0) ?? 0
  return code > 32 && code < 127 ? String.fromCharCode(code) : escaped.toUpperCase()
}

function escapedCode(text: string, at: number): number | undefined {
  const digits = text.slice(at + 1, at + 3)
  return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : undefined
}
