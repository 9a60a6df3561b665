import { type Component, componentOf, maxComponents } from './component.ts'
import { type CoveredComponents, coverageFrom, maxSignatures, type SignatureInput } from './input.ts'

// Covered lists that were seen, by their text: a client sends the same one each time. Bounded, the oldest goes first; an attacker
// who fills it costs others a parse of some 2 us.
const shapes = new Map<string, CoveredComponents>()
const maxShapes = 256
const maxShapeLength = 1024
// The list seen last needs no slice and no hash of its text: 0.2 us less.
let lastList = '()'
let lastCoverage: CoveredComponents = coverageFrom([])

/**
 * Reads the plain form: `label=("a" "b");created=1;keyid="k"`, members joined by a comma and blanks, no escapes, no component
 * parameters. Its text is its own serialisation. Gives `undefined` for any other form.
 */
export function readPlainInput(text: string): readonly SignatureInput[] | undefined {
  let inputs: SignatureInput[] | undefined
  let at = 0
  for (;;) {
    const equals = text.indexOf('=', at)
    if (equals < 0 || text.charCodeAt(equals + 1) !== 40) return undefined
    const label = text.slice(at, equals)
    if (!isKey(label)) return undefined
    if (inputs !== undefined && (isTaken(label, inputs) || inputs.length === maxSignatures)) return undefined
    const start = equals + 1
    let coverage: CoveredComponents | undefined
    let listEnd = start + lastList.length
    // A slice compares in 0.05 us where startsWith takes 0.27.
    if (text.slice(start, listEnd) === lastList) coverage = lastCoverage
    else {
      listEnd = endOfList(text, start)
      if (listEnd < 0) return undefined
      coverage = coverageOf(text.slice(start, listEnd))
      if (coverage === undefined) return undefined
    }
    const input: Unfinished = {
      label,
      coverage,
      signatureParams: '',
      created: undefined,
      expires: undefined,
      nonce: undefined,
      alg: undefined,
      keyid: undefined,
      tag: undefined,
    }
    const end = readParameters(text, listEnd, input)
    if (end < 0) return undefined
    input.signatureParams = text.slice(start, end)
    if (inputs === undefined) inputs = [input]
    else inputs.push(input)
    if (end === text.length) return inputs
    at = end
    while (text.charCodeAt(at) === 32) at++
    if (text.charCodeAt(at) !== 44) return undefined
    at++
    while (text.charCodeAt(at) === 32) at++
  }
}

/** Gives the position behind the `)` that ends a list of quoted strings, or -1; also for a list that is too long. */
function endOfList(text: string, start: number): number {
  let at = start + 1
  for (let count = 0; count <= maxComponents; ) {
    const code = text.charCodeAt(at)
    if (code === 41) return at + 1
    if (code === 34) {
      at = text.indexOf('"', at + 1)
      if (at < 0) return -1
      count++
    } else if (code !== 32) return -1
    at++
  }
  return -1
}

function coverageOf(list: string): CoveredComponents | undefined {
  const coverage = shapes.get(list) ?? parseList(list)
  if (coverage === undefined || list.length > maxShapeLength) return coverage
  if (!shapes.has(list)) {
    if (shapes.size >= maxShapes) shapes.delete(shapes.keys().next().value ?? list)
    shapes.set(list, coverage)
  }
  lastList = list
  lastCoverage = coverage
  return coverage
}

/** Reads `("a" "b")`: names in quotes, one space between, none elsewhere. */
function parseList(list: string): CoveredComponents | undefined {
  const components: Component[] = []
  let at = 1
  while (list.charCodeAt(at) === 34) {
    const close = list.indexOf('"', at + 1)
    const component = componentOf(list.slice(at + 1, close))
    if (component === undefined || components.length === maxComponents) return undefined
    if (components.some((one) => one.id === component.id)) return undefined
    components.push(component)
    at = close + 1
    if (list.charCodeAt(at) !== 32 || list.charCodeAt(at + 1) !== 34) break
    at++
  }
  return at === list.length - 1 ? coverageFrom(components) : undefined
}

/** An input while it is read. */
type Unfinished = { -readonly [K in keyof SignatureInput]: SignatureInput[K] }

/** Reads `;name=value` from `start` on into `read` and gives the position behind, or -1 for a form that is not plain. */
function readParameters(text: string, start: number, read: Unfinished): number {
  let at = start
  while (text.charCodeAt(at) === 59) {
    at++
    const name = parameterAt(text, at)
    if (name === undefined || read[name] !== undefined) return -1
    at += name.length + 1
    if (name === 'created' || name === 'expires') {
      const end = endOfDigits(text, at)
      if (end < 0) return -1
      read[name] = wholeNumber(text, at, end)
      at = end
    } else {
      const end = endOfString(text, at)
      if (end < 0) return -1
      read[name] = text.slice(at + 1, end - 1)
      at = end
    }
  }
  return at
}

type Parameter = 'created' | 'expires' | 'nonce' | 'alg' | 'keyid' | 'tag'

/** Gives the parameter whose name and `=` stand at a position. Its first letter leaves one candidate. */
function parameterAt(text: string, at: number): Parameter | undefined {
  const candidate = parametersByLetter.get(text.charCodeAt(at))
  return candidate !== undefined && text.slice(at, at + candidate.text.length) === candidate.text
    ? candidate.name
    : undefined
}

const parametersByLetter: ReadonlyMap<number, { readonly name: Parameter; readonly text: string }> = new Map(
  (['created', 'expires', 'nonce', 'alg', 'keyid', 'tag'] as const).map((name) => [
    name.charCodeAt(0),
    { name, text: `${name}=` },
  ]),
)

/** Gives the position behind a quoted string of printable ASCII without escapes, or -1. */
function endOfString(text: string, start: number): number {
  if (text.charCodeAt(start) !== 34) return -1
  let at = start + 1
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === 34) return at + 1
    // The end of the text reads as NaN, which no comparison lets through.
    if (!(code >= 32 && code <= 126) || code === 92) return -1
    at++
  }
}

/** Gives the position behind a whole number in its one plain spelling (no sign, no leading zero, at most 15 digits), or -1. */
function endOfDigits(text: string, start: number): number {
  let at = start
  while (text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++
  const length = at - start
  if (length === 0 || length > 15 || (length > 1 && text.charCodeAt(start) === 48)) return -1
  return at
}

/** Reads digits without a detour through a string of their own. */
function wholeNumber(text: string, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 10 + text.charCodeAt(i) - 48
  return value
}

function isTaken(label: string, inputs: readonly SignatureInput[]): boolean {
  for (const input of inputs) if (input.label === label) return true
  return false
}

function isKey(label: string): boolean {
  return label.length <= 64 && labelForm.test(label)
}

const labelForm = /^[a-z*][a-z0-9_.*-]*$/
