import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import { parseAuthParams } from '../../text/auth-params.ts'
import { isHeaderName } from './names.ts'
import type { Settings } from './options.ts'

/** The parameters of a signature, as sent. */
export interface Parameters {
  readonly keyId: string
  readonly algorithm: string | undefined
  readonly created: string | undefined
  readonly expires: string | undefined
  /** The `headers` list, or what stands in for it. */
  readonly names: readonly string[]
  readonly signature: string
}

const lengthLimits: ReadonlyMap<string, number> = new Map([
  ['keyId', 256],
  ['algorithm', 64],
  ['created', 11],
  ['expires', 21],
  ['headers', 4096],
  // RSA of 8192 bits.
  ['signature', 1368],
])
const flaskNames: ReadonlyMap<string, string> = new Map([
  ['keyId', 'keyId'],
  ['algorithm', 'algorithm'],
  ['headers', 'headers'],
  ['signature', 'signature'],
])
// What clients in use send besides; it is not signed and not read. Whatever else is refused: it may be one of ours misspelled.
const passedOver: ReadonlySet<string> = new Set(['opaque', 'version', 'extensions', 'ext', 'nonce', 'realm'])
const maxNames = 32

/** Reads the parameters behind the name of the scheme. Drafts 03 to 12, section 2.1. */
export function readParameters(text: string, settings: Settings): Parameters | Refusal {
  const values = gather(text, settings)
  if (isRefusal(values)) return values
  const keyId = values.get('keyId') ?? ''
  const signature = values.get('signature') ?? ''
  const algorithm = values.get('algorithm')
  const problem = problemOfKeyId(keyId, settings)
  if (problem !== undefined) return malformed(problem)
  if (signature === '') return malformed('there is no signature, or an empty one')
  if (settings.isFlask && algorithm === undefined) return malformed('there is no algorithm')
  const names = namesFrom(values.get('headers'), values.has('created'), settings)
  if (isRefusal(names)) return names
  const created = values.get('created')
  const expires = values.get('expires')
  if (names.includes('(created)') && created === undefined)
    return malformed('(created) is listed and not given')
  if (names.includes('(expires)') && expires === undefined)
    return malformed('(expires) is listed and not given')
  return { keyId, algorithm, created, expires, names, signature }
}

function gather(text: string, { isFlask }: Settings): ReadonlyMap<string, string> | Refusal {
  const parameters = parseAuthParams(text)
  if (typeof parameters === 'string') return malformed(parameters)
  const values = new Map<string, string>()
  const seen = new Set<string>()
  for (const { name, value, isQuoted } of parameters) {
    // Drafts 11 and 12, section 2.2: what is there twice must not be processed.
    if (seen.has(name.toLowerCase())) return malformed('a parameter is there twice')
    seen.add(name.toLowerCase())
    const known = isFlask
      ? flaskNames.get(name === 'keyId' ? name : name.toLowerCase())
      : lengthLimits.has(name)
        ? name
        : undefined
    if (known === undefined) {
      if (isFlask || passedOver.has(name)) continue
      return malformed('there is a parameter that this scheme has not')
    }
    if (value.length > (lengthLimits.get(known) ?? 0)) return malformed(`${known} is too long`)
    const isNumber = known === 'created' || known === 'expires'
    if (isQuoted === isNumber && !(isFlask && known === 'algorithm')) {
      return malformed(`${known} is ${isNumber ? 'a number and not in quotes' : 'not in quotes'}`)
    }
    values.set(known, value)
  }
  return values
}

/** Says what is wrong with a key id. It is looked up whole; the original stops at the first character that is no word's. */
function problemOfKeyId(keyId: string, { isFlask, keyIds }: Settings): string | undefined {
  if (keyId === '') return 'there is no keyId, or an empty one'
  if (keyIds === 'word' && !/^[A-Za-z0-9_]+$/.test(keyId)) return 'keyId is not letters, digits and _ alone'
  return isFlask || /^[\x20-\x7e]+$/.test(keyId) ? undefined : 'keyId is not ASCII'
}

/**
 * Without a list `(created)` is signed where there is a `created`, as drafts 11 and 12 have it, else `date`, as all before them have
 * it. Neither is enough for a policy, so that nothing depends on the guess.
 */
function namesFrom(
  list: string | undefined,
  hasCreated: boolean,
  { isFlask }: Settings,
): readonly string[] | Refusal {
  if (list === undefined) return [hasCreated ? '(created)' : 'date']
  const names = (isFlask ? list : list.toLowerCase()).split(' ', maxNames + 1)
  if (names.length > maxNames) return malformed(`the list has over ${maxNames} names`)
  for (const name of names) {
    if (!isHeaderName(name) || (isFlask && (name === '(created)' || name === '(expires)'))) {
      return malformed('the list has a name that is none')
    }
  }
  // Signed twice is signed; clients of this profile may do so.
  return isFlask || new Set(names).size === names.length ? names : malformed('the list has a name twice')
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}
