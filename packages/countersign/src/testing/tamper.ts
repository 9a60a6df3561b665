import { concatBytes } from '../bytes/concat.ts'
import { isFieldName, trimBlanks } from '../message/field-lines.ts'
import { type RequestMessage, wireRequest } from '../message/message.ts'
import { normalizeAuthority, pathOf, queryOf } from '../message/target.ts'
import { CountersignError } from '../reasons/error.ts'

/** What `tamper` takes besides the message. */
export interface TamperOptions {
  /** Component identifiers that the signature covers, as in `Claim.covers`. Default: method, target, authority, body. */
  readonly covers?: readonly string[]
  /** Lower-case names of the fields that carry the signature. Default `authorization`, `signature`, `signature-input`. */
  readonly credentialFields?: readonly string[]
}

/** A message with one byte changed. */
export interface Tampered {
  /** Says which part was changed where. Shows no content, so it can stand in a test's name. */
  readonly name: string
  readonly message: RequestMessage
}

const coversByDefault: readonly string[] = ['@method', '@target-uri', '@body']
const credentialFieldsByDefault: readonly string[] = ['authorization', 'signature', 'signature-input']
const insertedInText = 'A0'
// What could join or split parts of a target, and two that could not.
const insertedInTarget = 'A0/&=%;+?.'
const insertedInBody: readonly number[] = [0, 10, 65]
const positionsMost = 512
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const fieldContent = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Gives every message that differs from a request by one byte of what its signature covers or is written in: each bit
 * of each byte flipped, each byte deleted, bytes inserted everywhere, as far as the result is still a legal message.
 * Of a part over 512 bytes, 512 positions spread evenly are changed. A host that differs in case alone is left out.
 * @throws CountersignError `body-unavailable` where the body is not bytes.
 */
export function* tamper(message: RequestMessage, options: TamperOptions = {}): Generator<Tampered> {
  for (const { name, parts } of changes(message, options)) {
    const changed = wireRequest({ ...message, ...parts })
    if (changed.problem === undefined) yield { name, message: changed }
  }
}

/** Parts of a message that take the place of others. */
interface Change {
  readonly name: string
  readonly parts: Partial<Pick<RequestMessage, 'method' | 'target' | 'authority' | 'fields' | 'body'>>
}

function* changes(message: RequestMessage, options: TamperOptions): Generator<Change> {
  const { covers = coversByDefault, credentialFields = credentialFieldsByDefault } = options
  const names = new Set(covers.map(nameOf))
  const isCovered = (...any: readonly string[]): boolean => any.some((name) => names.has(name))

  if (isCovered('@method')) yield* changedMethods(message)
  const isWhole = isCovered('@target-uri', '@request-target')
  const inPath = isWhole || isCovered('@path')
  const inQuery = isWhole || isCovered('@query', '@query-param')
  for (const change of changedTargets(message)) {
    const path = inPath && pathOf(change.parts.target) !== pathOf(message.target)
    const query = inQuery && queryOf(change.parts.target) !== queryOf(message.target)
    if (path || query) yield change
  }
  if (isCovered('@authority', '@target-uri')) yield* changedAuthorities(message)
  for (let line = 0; line + 1 < message.fields.length; line += 2) {
    const name = (message.fields[line] ?? '').toLowerCase()
    if (name !== 'host' && (names.has(name) || credentialFields.includes(name))) {
      yield* changedField(message, name, line)
    }
  }
  if (isCovered('@body', 'content-digest', 'digest')) yield* changedBodies(message)
}

function* changedMethods(message: RequestMessage): Generator<Change> {
  for (const { name, text } of changedTexts(message.method, insertedInText)) {
    if (token.test(text)) yield { name: `method: ${name}`, parts: { method: text } }
  }
}

function* changedTargets(
  message: RequestMessage,
): Generator<Change & { readonly parts: { readonly target: string } }> {
  for (const { name, text } of changedTexts(message.target, insertedInTarget)) {
    yield { name: `target: ${name}`, parts: { target: text } }
  }
}

function* changedAuthorities(message: RequestMessage): Generator<Change> {
  const { authority, fields, scheme } = message
  const line = fields.findIndex((name, i) => i % 2 === 0 && isFieldName(name, 'host'))
  for (const { name, text } of changedTexts(authority, insertedInText)) {
    if (normalizeAuthority(text, scheme) === normalizeAuthority(authority, scheme)) continue
    const host = line < 0 ? {} : { fields: fields.with(line + 1, text) }
    yield { name: `authority: ${name}`, parts: { authority: text, ...host } }
  }
}

function* changedField(message: RequestMessage, fieldName: string, line: number): Generator<Change> {
  const value = message.fields[line + 1] ?? ''
  for (const { name, text } of changedTexts(value, insertedInText)) {
    if (trimBlanks(text) === trimBlanks(value) || !fieldContent.test(text)) continue
    yield { name: `${fieldName}: ${name}`, parts: { fields: message.fields.with(line + 1, text) } }
  }
}

function* changedBodies(message: RequestMessage): Generator<Change> {
  const body = message.body ?? new Uint8Array(0)
  if (!(body instanceof Uint8Array)) {
    throw new CountersignError('body-unavailable', 'tamper: the body must be given as bytes')
  }
  for (const at of positions(body.length)) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = body.with(at, (body[at] ?? 0) ^ (1 << bit))
      yield { name: `body: bit ${bit} of byte ${at} flipped`, parts: { body: flipped } }
    }
    const shorter = concatBytes([body.subarray(0, at), body.subarray(at + 1)])
    yield { name: `body: byte ${at} deleted`, parts: { body: shorter } }
  }
  for (const at of positions(body.length + 1)) {
    for (const byte of insertedInBody) {
      const longer = concatBytes([body.subarray(0, at), Uint8Array.of(byte), body.subarray(at)])
      yield { name: `body: byte ${byte} inserted at ${at}`, parts: { body: longer } }
    }
  }
}

function* changedTexts(
  text: string,
  inserted: string,
): Generator<{ readonly name: string; readonly text: string }> {
  for (const at of positions(text.length)) {
    const before = text.slice(0, at)
    const after = text.slice(at + 1)
    for (let bit = 0; bit < 8; bit++) {
      const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << bit))
      yield { name: `bit ${bit} of byte ${at} flipped`, text: before + flipped + after }
    }
    yield { name: `byte ${at} deleted`, text: before + after }
  }
  for (const at of positions(text.length + 1)) {
    for (const one of inserted) {
      yield { name: `"${one}" inserted at ${at}`, text: text.slice(0, at) + one + text.slice(at) }
    }
  }
}

/** Gives all positions below `count`, or 512 spread evenly over them, the first and the last included. */
function positions(count: number): readonly number[] {
  const most = Math.min(count, positionsMost)
  return Array.from({ length: most }, (_, i) =>
    most === count ? i : Math.floor((i * (count - 1)) / (most - 1)),
  )
}

/** Gives the name of a component identifier: `x` of `"x";req` and of `x`. */
function nameOf(identifier: string): string {
  return /^"([^"]*)"/.exec(identifier)?.[1] ?? identifier
}
