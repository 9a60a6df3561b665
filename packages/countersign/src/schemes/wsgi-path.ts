import { hexValue } from '../bytes/hex.ts'
import { type Refusal, refuse } from '../reasons/reasons.ts'

/** Spellings of a path that a WSGI server evens out, so that one signature fits requests that others tell apart. */
export type EvenedPath = 'escaped-separators' | 'leading-slashes'

/** A path as a WSGI server hands it to an application. */
export interface WsgiPath {
  /** Percent-decoded. Starts with one slash. */
  readonly text: string
  /** What of the path as sent can no longer be seen in it: an escaped `/` or `;`, several slashes in front. */
  readonly evened: readonly EvenedPath[]
}

/**
 * Decodes a path as WSGI servers do before an application, and its signature check, sees it. Refuses what the originals
 * answer with an error (characters beyond ASCII) and a `%` without two hex digits, which would read like `%25`.
 */
export function wsgiPath(path: string): WsgiPath | Refusal {
  let text = ''
  let from = 0
  let hasSeparator = false
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    const high = hexValue(path.charCodeAt(at + 1))
    const low = hexValue(path.charCodeAt(at + 2))
    if (high < 0 || low < 0) return refuse('component-missing', 'the path has a malformed escape')
    const code = high * 16 + low
    if (code > 127) return refuse('component-missing', 'the path has an escape beyond ASCII')
    hasSeparator ||= code === 47 || code === 59
    text += path.slice(from, at) + String.fromCharCode(code)
    from = at + 3
  }
  text += path.slice(from)
  const evened: EvenedPath[] = []
  if (hasSeparator) evened.push('escaped-separators')
  let start = 0
  while (text.charCodeAt(start) === 47) start++
  if (start > 1) evened.push('leading-slashes')
  return { text: `/${text.slice(start)}`, evened }
}
