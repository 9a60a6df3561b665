import { describe, expect, it } from 'vitest'
import { CountersignError } from '../reasons/error.ts'
import {
  serializeBareItem,
  serializeDictionary,
  serializeInnerList,
  serializeItem,
  serializeList,
  serializeParameters,
} from './serialize.ts'
import type { BareItem } from './types.ts'
import { noParameters } from './types.ts'

const yes: BareItem = { kind: 'boolean', value: true }
const no: BareItem = { kind: 'boolean', value: false }

describe('serialising', () => {
  it.each<[BareItem, string]>([
    [{ kind: 'integer', value: 1 }, '1'],
    [{ kind: 'integer', value: -0 }, '0'],
    [{ kind: 'integer', value: -999_999_999_999_999 }, '-999999999999999'],
    [{ kind: 'decimal', value: 1 }, '1.0'],
    [{ kind: 'decimal', value: -0 }, '0.0'],
    [{ kind: 'decimal', value: 1.25 }, '1.25'],
    [{ kind: 'decimal', value: -0.001 }, '-0.001'],
    [{ kind: 'decimal', value: 0.0005 }, '0.0'],
    [{ kind: 'decimal', value: 0.00051 }, '0.001'],
    [{ kind: 'decimal', value: 0.0015 }, '0.002'],
    [{ kind: 'decimal', value: -0.0001 }, '0.0'],
    [{ kind: 'decimal', value: 1e-7 }, '0.0'],
    [{ kind: 'decimal', value: -1.5e-7 }, '0.0'],
    [{ kind: 'decimal', value: 0.9995 }, '1.0'],
    [{ kind: 'decimal', value: 999_999_999_999.999 }, '999999999999.999'],
    [{ kind: 'string', value: '' }, '""'],
    [{ kind: 'string', value: '"a\\b"' }, '"\\"a\\\\b\\""'],
    [{ kind: 'token', value: '*a/b:c' }, '*a/b:c'],
    [{ kind: 'byte-sequence', value: Uint8Array.of(97) }, ':YQ==:'],
    [yes, '?1'],
    [no, '?0'],
    [{ kind: 'date', value: -1 }, '@-1'],
    [{ kind: 'display-string', value: 'a%"\n\u00fc\u{1f600}' }, '%"a%25%22%0a%c3%bc%f0%9f%98%80"'],
  ])('writes %j as %s', (bare, text) => {
    expect(serializeBareItem(bare)).toBe(text)
  })

  it('writes true as a key that stands alone', () => {
    const parameters = new Map([
      ['a', yes],
      ['b', no],
    ])
    expect(serializeParameters(parameters)).toBe(';a;b=?0')
    expect(serializeItem({ ...yes, parameters })).toBe('?1;a;b=?0')
    expect(
      serializeDictionary(
        new Map([
          ['x', { ...yes, parameters }],
          ['y', { ...no, parameters: noParameters }],
        ]),
      ),
    ).toBe('x;a;b=?0, y=?0')
  })

  it('writes an inner list with its parameters alone, as @signature-params wants it', () => {
    expect(
      serializeInnerList({
        kind: 'inner-list',
        items: [
          { kind: 'string', value: '@method', parameters: noParameters },
          { kind: 'string', value: 'date', parameters: new Map([['req', yes]]) },
        ],
        parameters: new Map([['created', { kind: 'integer', value: 1618884473 }]]),
      }),
    ).toBe('("@method" "date";req);created=1618884473')
    expect(serializeInnerList({ kind: 'inner-list', items: [], parameters: noParameters })).toBe('()')
  })

  it('writes nothing for an empty list or dictionary', () => {
    expect(serializeList([])).toBe('')
    expect(serializeDictionary(new Map())).toBe('')
  })

  it.each<[string, BareItem]>([
    ['an integer of sixteen digits', { kind: 'integer', value: 1_000_000_000_000_000 }],
    ['an integer with a fraction', { kind: 'integer', value: 1.5 }],
    ['an integer that is not a number', { kind: 'integer', value: Number.NaN }],
    ['an endless integer', { kind: 'integer', value: Number.POSITIVE_INFINITY }],
    ['a decimal that rounds to thirteen digits', { kind: 'decimal', value: 999_999_999_999.9996 }],
    ['a decimal beyond 1e21', { kind: 'decimal', value: 1e21 }],
    ['a decimal that is not a number', { kind: 'decimal', value: Number.NaN }],
    ['an endless decimal', { kind: 'decimal', value: Number.NEGATIVE_INFINITY }],
    ['a date with a fraction', { kind: 'date', value: 0.5 }],
    ['a string beyond ASCII', { kind: 'string', value: '\u00e9' }],
    ['a string with a line end', { kind: 'string', value: 'a\r\nb' }],
    ['an empty token', { kind: 'token', value: '' }],
    ['a token with a space', { kind: 'token', value: 'a b' }],
    ['a token that starts with a digit', { kind: 'token', value: '1a' }],
    ['a display string with half a surrogate pair', { kind: 'display-string', value: 'a\ud83d' }],
  ])('refuses %s', (_, bare) => {
    expect(() => serializeBareItem(bare)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })

  it.each([
    ['text for a number', { kind: 'integer', value: '1' }],
    ['text for a boolean', { kind: 'boolean', value: 'false' }],
    ['a number for a token', { kind: 'token', value: 1 }],
    ['an ArrayBuffer for bytes', { kind: 'byte-sequence', value: new ArrayBuffer(1) }],
    ['nothing for bytes', { kind: 'byte-sequence', value: null }],
    ['a kind that is none', { kind: 'toString', value: 'a' }],
  ])('refuses %s, which types cannot stop in plain JavaScript', (_, untyped) => {
    const bare = untyped as BareItem // the wrong type is the point
    expect(() => serializeBareItem(bare)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })

  it.each(['', 'A', '1a', 'a b', 'a=', '_a', 'a\u00e9'])('refuses %j as a key', (key) => {
    expect(() => serializeParameters(new Map([[key, yes]]))).toThrow(CountersignError)
    expect(() => serializeDictionary(new Map([[key, { ...yes, parameters: noParameters }]]))).toThrow(
      CountersignError,
    )
  })

  it('keeps values out of its errors', () => {
    const value = 'nonce-\u00e9'
    expect(() => serializeBareItem({ kind: 'string', value })).toThrow(
      'structured field: string: expected printable ASCII',
    )
  })
})
