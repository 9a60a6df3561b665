import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CountersignError } from '../reasons/error.ts'
import type { ParseOptions, ParseResult } from './parse.ts'
import { parseDictionary, parseItem, parseList } from './parse.ts'
import { serializeDictionary, serializeItem, serializeList } from './serialize.ts'
import type { BareItem, Dictionary, Item, List, Member, Parameters } from './types.ts'

type JsonBare =
  | number
  | string
  | boolean
  | { readonly __type: 'token' | 'binary' | 'displaystring'; readonly value: string }
  | { readonly __type: 'date'; readonly value: number }
type JsonParameters = readonly (readonly [string, JsonBare])[]
type JsonItem = readonly [JsonBare, JsonParameters]
type JsonMember = JsonItem | readonly [readonly JsonItem[], JsonParameters]

interface Case {
  readonly name: string
  readonly raw?: readonly string[]
  readonly header_type: 'item' | 'list' | 'dictionary'
  readonly expected?: unknown
  readonly must_fail?: boolean
  readonly can_fail?: boolean
  readonly canonical?: readonly string[]
}

const folder = new URL('../../../../vectors/structured-fields/', import.meta.url)

/** Number of tests by file, so that a file that is lost or cut short fails. */
const parseFiles: Readonly<Record<string, number>> = {
  'binary.json': 15,
  'boolean.json': 12,
  'date.json': 17,
  'dictionary.json': 26,
  'display-string.json': 22,
  'examples.json': 21,
  'item.json': 5,
  'key-generated.json': 640,
  'large-generated.json': 11,
  'list.json': 11,
  'listlist.json': 12,
  'number-generated.json': 193,
  'number.json': 37,
  'param-dict.json': 14,
  'param-list.json': 20,
  'param-listlist.json': 3,
  'string-generated.json': 256,
  'string.json': 14,
  'token-generated.json': 256,
  'token.json': 6,
}
const serialisationFiles: Readonly<Record<string, number>> = {
  'key-generated.json': 378,
  'number.json': 9,
  'string-generated.json': 33,
  'token-generated.json': 124,
}

/** Tests marked `can_fail` that the strict reading of base64 does refuse; the lenient one refuses none. */
const refusedWhenStrict = ['bad padding', 'non-zero pad bits']

describe('the tests of httpwg/structured-field-tests', () => {
  it('are all there, 1591 to parse and 544 to serialise', () => {
    expect(jsonFiles('.')).toEqual(Object.keys(parseFiles).sort())
    expect(jsonFiles('serialisation')).toEqual(Object.keys(serialisationFiles).sort())
    expect(sum(parseFiles)).toBe(1591)
    expect(sum(serialisationFiles)).toBe(544)
  })

  for (const base64 of ['strict', 'lenient'] as const) {
    it.each(Object.entries(parseFiles))(`parse as expected with ${base64} base64: %s`, (file, count) => {
      const cases = read(file)
      expect(cases.length).toBe(count)
      for (const test of cases) {
        const refused = test.must_fail || (base64 === 'strict' && refusedWhenStrict.includes(test.name))
        const outcome = parsed(test, { base64 })
        expect(outcome, test.name).toEqual(
          refused
            ? { refused: true }
            : { value: test.expected, text: (test.canonical ?? test.raw ?? []).join() },
        )
      }
    })
  }

  it('let the strict reading of base64 refuse only what is marked as a matter of taste', () => {
    const marked = Object.keys(parseFiles).flatMap((file) => read(file).filter((test) => test.can_fail))
    expect(marked.map((test) => test.name)).toEqual(expect.arrayContaining(refusedWhenStrict))
  })

  it.each(Object.entries(serialisationFiles))('serialise as expected: %s', (file, count) => {
    const cases = read(`serialisation/${file}`)
    expect(cases.length).toBe(count)
    for (const test of cases) {
      if (test.must_fail) {
        expect(() => serialised(test), test.name).toThrow(CountersignError)
        expect(() => serialised(test), test.name).toThrow(expect.objectContaining({ code: 'config-invalid' }))
      } else expect(serialised(test), test.name).toBe(test.canonical?.join())
    }
  })
})

function jsonFiles(path: string): readonly string[] {
  return readdirSync(new URL(`${path}/`, folder))
    .filter((name) => name.endsWith('.json'))
    .sort()
}

function read(file: string): readonly Case[] {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function parsed(test: Case, options: ParseOptions): unknown {
  const lines = test.raw ?? []
  if (test.header_type === 'item') return outcome(parseItem(lines, options), memberJson, serializeItem)
  if (test.header_type === 'list')
    return outcome(parseList(lines, options), (list) => list.map(memberJson), serializeList)
  return outcome(
    parseDictionary(lines, options),
    (dictionary) => [...dictionary].map(([key, member]) => [key, memberJson(member)]),
    serializeDictionary,
  )
}

function outcome<T>(
  result: ParseResult<T>,
  json: (value: T) => unknown,
  text: (value: T) => string,
): unknown {
  return result.ok ? { value: json(result.value), text: text(result.value) } : { refused: true }
}

function memberJson(member: Member): JsonMember {
  return member.kind === 'inner-list'
    ? [member.items.map(itemJson), parametersJson(member.parameters)]
    : itemJson(member)
}

function itemJson(item: Item): JsonItem {
  return [bareJson(item), parametersJson(item.parameters)]
}

function parametersJson(parameters: Parameters): JsonParameters {
  return [...parameters].map(([key, value]) => [key, bareJson(value)])
}

function bareJson(bare: BareItem): JsonBare {
  switch (bare.kind) {
    case 'token':
      return { __type: 'token', value: bare.value }
    case 'byte-sequence':
      return { __type: 'binary', value: base32Encode(bare.value) }
    case 'date':
      return { __type: 'date', value: bare.value }
    case 'display-string':
      return { __type: 'displaystring', value: bare.value }
    default:
      return bare.value
  }
}

function serialised(test: Case): string {
  if (test.header_type === 'item') return serializeItem(itemOf(test.expected as JsonItem)) // shape fixed by header_type
  if (test.header_type === 'list') return serializeList(listOf(test.expected as readonly JsonMember[])) // likewise
  return serializeDictionary(dictionaryOf(test.expected as readonly (readonly [string, JsonMember])[])) // likewise
}

function listOf(members: readonly JsonMember[]): List {
  return members.map(memberOf)
}

function dictionaryOf(members: readonly (readonly [string, JsonMember])[]): Dictionary {
  return new Map(members.map(([key, member]) => [key, memberOf(member)]))
}

function memberOf([value, parameters]: JsonMember): Member {
  return typeof value === 'object' && !('__type' in value)
    ? { kind: 'inner-list', items: value.map(itemOf), parameters: parametersOf(parameters) }
    : itemOf([value, parameters])
}

function itemOf([bare, parameters]: JsonItem): Item {
  return { ...bareOf(bare), parameters: parametersOf(parameters) }
}

function parametersOf(parameters: JsonParameters): Parameters {
  return new Map(parameters.map(([key, value]) => [key, bareOf(value)]))
}

function bareOf(json: JsonBare): BareItem {
  if (typeof json === 'number') return { kind: Number.isInteger(json) ? 'integer' : 'decimal', value: json }
  if (typeof json === 'string') return { kind: 'string', value: json }
  if (typeof json === 'boolean') return { kind: 'boolean', value: json }
  if (json.__type === 'token') return { kind: 'token', value: json.value }
  throw new Error(`no test to serialise holds a ${json.__type}`)
}

/** RFC 4648 section 6. */
function base32Encode(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const text = (bits.match(/.{1,5}/g) ?? [])
    .map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Number.parseInt(group.padEnd(5, '0'), 2)))
    .join('')
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=')
}
