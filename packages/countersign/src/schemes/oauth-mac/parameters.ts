import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import { isPlain, type OauthMacCompatible } from './options.ts'

/** The parameters of an Authorization value, as sent. */
export interface Parameters {
  readonly id: string
  readonly ts: string
  readonly nonce: string
  /** Empty where it is absent: both sign as an empty line. */
  readonly ext: string
  readonly mac: string
  /** A form was met that only an option admits. */
  readonly isLoose: boolean
}

const valueLimit = 8192
const lengthLimits: ReadonlyMap<string, number> = new Map([
  ['id', 256],
  ['ts', 32],
  ['nonce', 128],
  ['ext', 4096],
  ['mac', 128],
])
const separators: ReadonlySet<number> = new Set([9, 32, 44, 59])

/** Tells whether an Authorization value names this scheme, in any case and whatever follows. */
export function isOurs(value: string): boolean {
  if (value.slice(0, 3).toUpperCase() !== 'MAC') return false
  const next = value.charAt(3)
  return next === '' || next === ' ' || next === '\t' || next === ','
}

/**
 * Reads an Authorization value: `MAC`, spaces, then each of id, ts, nonce and mac once and ext at most once, in any order, as
 * `name="value"` with commas between. One pass; the original looks for names anywhere, so that `key_id="..."` counts as `id`.
 */
export function readParameters(
  value: string,
  compatible: ReadonlySet<OauthMacCompatible>,
): Parameters | Refusal {
  if (value.length > valueLimit) return malformed(`Authorization is over ${valueLimit} characters`)
  if (!value.startsWith('MAC ')) return malformed('MAC is not spelled so, with a space behind it')
  const read = new Map<string, string>()
  let isLoose = false
  let at = 4
  while (value.charCodeAt(at) === 32) at++
  for (;;) {
    const equals = value.indexOf('="', at)
    if (equals < 0) return malformed('a parameter is not name="value"')
    const name = value.slice(at, equals)
    const end = value.indexOf('"', equals + 2)
    if (end < 0) return malformed('a quote is not closed')
    const text = value.slice(equals + 2, end)
    if (lengthLimits.has(name)) {
      const problem = problemOf(name, text, read)
      if (problem !== undefined) return problem
      read.set(name, text)
    } else {
      if (name === 'bodyhash') return malformed('bodyhash is of draft 00, which is not supported')
      if (!compatible.has('unknown-parameters') || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
        return malformed('a parameter is none of id, ts, nonce, ext and mac')
      }
      isLoose = true
    }
    if (end + 1 === value.length) return complete(read, isLoose)
    const next = afterSeparator(value, end + 1, compatible.has('loose-separators'))
    if (isRefusal(next)) return next
    at = next.at
    isLoose ||= next.isLoose
  }
}

function problemOf(name: string, text: string, read: ReadonlyMap<string, string>): Refusal | undefined {
  if (read.has(name)) return malformed(`${name} is given twice`)
  const limit = lengthLimits.get(name) ?? 0
  if (text.length > limit) return malformed(`${name} is over ${limit} characters`)
  return isPlain(text) ? undefined : malformed(`${name} has a character that the scheme does not allow`)
}

/** Gives where the next parameter starts: behind one comma with blanks around it or, where that is admitted, any of the old forms. */
function afterSeparator(
  value: string,
  from: number,
  loose: boolean,
): { readonly at: number; readonly isLoose: boolean } | Refusal {
  let at = from
  let commas = 0
  let others = 0
  for (; separators.has(value.charCodeAt(at)); at++) {
    const code = value.charCodeAt(at)
    if (code === 44) commas++
    else if (code === 59) others++
  }
  const isStrict = commas === 1 && others === 0
  return isStrict || loose ? { at, isLoose: !isStrict } : malformed('parameters are not parted by one comma')
}

function complete(read: ReadonlyMap<string, string>, isLoose: boolean): Parameters | Refusal {
  const [id = '', ts = '', nonce = '', ext = '', mac = ''] = ['id', 'ts', 'nonce', 'ext', 'mac'].map((name) =>
    read.get(name),
  )
  if (id === '') return malformed('id is missing')
  if (mac === '') return malformed('mac is missing')
  if (ts === '') {
    const detail = 'ts is missing; draft 00, where the nonce holds an age, is not supported'
    return refuse('created-missing', detail)
  }
  return nonce === '' ? refuse('nonce-missing', 'nonce is missing') : { id, ts, nonce, ext, mac, isLoose }
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}
