import { isOf, keyRest, keyStart } from './characters.ts'
import type { Cursor } from './cursor.ts'
import { fail, peek, skipBlanks, skipSpaces } from './cursor.ts'
import { bareTrue, parseBareItem } from './parse-bare-item.ts'
import type { BareItem, Dictionary, InnerList, Item, List, Member, Parameters } from './types.ts'
import { noParameters } from './types.ts'

/** What parsing gives: the value, or what is wrong and at which offset of the text (of the lines joined by `, `). */
export type ParseResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly at: number; readonly problem: string }

/** How to parse where RFC 9651 leaves a choice, or where signatures need more than it asks. */
export interface ParseOptions {
  /** What a key does that a dictionary or parameters hold already. Default `last`: it replaces the value. */
  readonly onDuplicate?: 'last' | 'refuse'
  /**
   * Default `strict`: padded, no set pad bits, so one byte sequence has one spelling. `lenient` takes missing padding and
   * set pad bits, which parsers should not refuse by RFC 9651 section 4.2.7 unless they have to.
   */
  readonly base64?: 'strict' | 'lenient'
}

const duplicateProblem = 'expected each key once'

const comma = 44
const equals = 61
const semicolon = 59
const openParenthesis = 40
const closeParenthesis = 41

/**
 * Parses an Item. Takes the text of a field, or its lines in order. Never throws.
 * @see RFC 9651 section 4.2.3
 */
export function parseItem(input: string | readonly string[], options?: ParseOptions): ParseResult<Item> {
  return parseWhole(input, options, readItem)
}

/**
 * Parses a List. Takes the text of a field, or its lines in order; an empty text is an empty list. Never throws.
 * @see RFC 9651 section 4.2.1
 */
export function parseList(input: string | readonly string[], options?: ParseOptions): ParseResult<List> {
  return parseWhole(input, options, readList)
}

/**
 * Parses a Dictionary. Takes the text of a field, or its lines in order; an empty text is an empty dictionary. Never throws.
 * @see RFC 9651 section 4.2.2
 */
export function parseDictionary(
  input: string | readonly string[],
  options?: ParseOptions,
): ParseResult<Dictionary> {
  return parseWhole(input, options, readDictionary)
}

/** RFC 9651 section 4.2: one text of all lines, nothing but spaces around the value. */
function parseWhole<T>(
  input: string | readonly string[],
  options: ParseOptions | undefined,
  read: (cursor: Cursor) => T | undefined,
): ParseResult<T> {
  const cursor: Cursor = {
    text: typeof input === 'string' ? input : input.join(', '),
    strictBase64: options?.base64 !== 'lenient',
    refuseDuplicates: options?.onDuplicate === 'refuse',
    at: 0,
    problem: '',
  }
  skipSpaces(cursor)
  const value = read(cursor)
  if (value === undefined) return { ok: false, at: cursor.at, problem: cursor.problem }
  skipSpaces(cursor)
  if (cursor.at < cursor.text.length)
    return { ok: false, at: cursor.at, problem: 'expected nothing behind the value' }
  return { ok: true, value }
}

function readList(cursor: Cursor): List | undefined {
  const members: Member[] = []
  if (cursor.at === cursor.text.length) return members
  do {
    const member = readMember(cursor)
    if (member === undefined) return undefined
    members.push(member)
  } while (readComma(cursor))
  return cursor.at === cursor.text.length ? members : noComma(cursor)
}

function readDictionary(cursor: Cursor): Dictionary | undefined {
  const members = new Map<string, Member>()
  if (cursor.at === cursor.text.length) return members
  do {
    const from = cursor.at
    const key = readKey(cursor)
    if (key === undefined) return undefined
    const member = readDictionaryValue(cursor)
    if (member === undefined) return undefined
    const before = members.size
    members.set(key, member)
    if (members.size === before && cursor.refuseDuplicates) return fail(cursor, from, duplicateProblem)
  } while (readComma(cursor))
  return cursor.at === cursor.text.length ? members : noComma(cursor)
}

function readDictionaryValue(cursor: Cursor): Member | undefined {
  if (peek(cursor) === equals) {
    cursor.at++
    return readMember(cursor)
  }
  const parameters = readParameters(cursor)
  return parameters === undefined ? undefined : { kind: 'boolean', value: true, parameters }
}

/** Goes past a comma and the white space around it. A comma with nothing behind it stays unread and so fails. */
function readComma(cursor: Cursor): boolean {
  skipBlanks(cursor)
  if (peek(cursor) !== comma) return false
  const from = cursor.at++
  skipBlanks(cursor)
  if (cursor.at < cursor.text.length) return true
  cursor.at = from
  return false
}

function noComma(cursor: Cursor): undefined {
  const problem = peek(cursor) === comma ? 'expected a member behind the comma' : 'expected a comma'
  return fail(cursor, cursor.at, problem)
}

function readMember(cursor: Cursor): Member | undefined {
  return peek(cursor) === openParenthesis ? readInnerList(cursor) : readItem(cursor)
}

/** RFC 9651 section 4.2.1.2. */
function readInnerList(cursor: Cursor): InnerList | undefined {
  const items: Item[] = []
  cursor.at++
  for (;;) {
    skipSpaces(cursor)
    if (peek(cursor) === closeParenthesis) break
    const item = readItem(cursor)
    if (item === undefined) return undefined
    items.push(item)
    const code = peek(cursor)
    if (code !== 32 && code !== closeParenthesis)
      return fail(cursor, cursor.at, 'expected a space or ) in an inner list')
  }
  cursor.at++
  const parameters = readParameters(cursor)
  return parameters === undefined ? undefined : { kind: 'inner-list', items, parameters }
}

function readItem(cursor: Cursor): Item | undefined {
  const bare = parseBareItem(cursor)
  if (bare === undefined) return undefined
  const parameters = readParameters(cursor)
  return parameters === undefined ? undefined : withParameters(bare, parameters)
}

// Written out by kind because `{ ...bare, parameters }` makes the whole parse three times slower.
function withParameters(bare: BareItem, parameters: Parameters): Item {
  switch (bare.kind) {
    case 'string':
    case 'token':
    case 'display-string':
      return { kind: bare.kind, value: bare.value, parameters }
    case 'integer':
    case 'decimal':
    case 'date':
      return { kind: bare.kind, value: bare.value, parameters }
    case 'byte-sequence':
      return { kind: bare.kind, value: bare.value, parameters }
    case 'boolean':
      return { kind: bare.kind, value: bare.value, parameters }
  }
}

/** RFC 9651 section 4.2.3.2. */
function readParameters(cursor: Cursor): Parameters | undefined {
  if (peek(cursor) !== semicolon) return noParameters
  const parameters = new Map<string, BareItem>()
  while (peek(cursor) === semicolon) {
    cursor.at++
    skipSpaces(cursor)
    const from = cursor.at
    const key = readKey(cursor)
    if (key === undefined) return undefined
    let value: BareItem | undefined = bareTrue
    if (peek(cursor) === equals) {
      cursor.at++
      value = parseBareItem(cursor)
      if (value === undefined) return undefined
    }
    const before = parameters.size
    parameters.set(key, value)
    if (parameters.size === before && cursor.refuseDuplicates) return fail(cursor, from, duplicateProblem)
  }
  return parameters
}

/** RFC 9651 section 4.2.3.3. */
function readKey(cursor: Cursor): string | undefined {
  const { text, at } = cursor
  if (!isOf(keyStart, peek(cursor))) return fail(cursor, at, 'expected a key')
  let end = at + 1
  while (end < text.length && isOf(keyRest, text.charCodeAt(end))) end++
  cursor.at = end
  return text.slice(at, end)
}
