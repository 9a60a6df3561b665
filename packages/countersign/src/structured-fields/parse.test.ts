import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { parseDictionary, parseItem, parseList } from './parse.ts'
import { serializeItem } from './serialize.ts'
import { noParameters } from './types.ts'

const refusal = (at: number) => ({ ok: false, at, problem: expect.any(String) })

describe('parsing', () => {
  it('keeps apart kinds that share a type in JavaScript', () => {
    const list = parseList('1, 1.0, @1, a, "a", %"a", ?1')
    expect(list.ok && list.value.map((member) => member.kind)).toEqual([
      'integer',
      'decimal',
      'date',
      'token',
      'string',
      'display-string',
      'boolean',
    ])
  })

  it('reads a Signature-Input', () => {
    const parameters = new Map([['created', { kind: 'integer', value: 1618884473 }]])
    const items = [
      { kind: 'string', value: '@method', parameters: new Map() },
      { kind: 'string', value: 'date', parameters: new Map([['req', { kind: 'boolean', value: true }]]) },
    ]
    expect(parseDictionary('sig1=("@method" "date";req);created=1618884473')).toEqual({
      ok: true,
      value: new Map([['sig1', { kind: 'inner-list', items, parameters }]]),
    })
  })

  it('joins the lines of a field by comma and space, and counts offsets in the joined text', () => {
    const joined = parseDictionary(['a=1', 'b=2'])
    expect(joined.ok && [...joined.value.keys()]).toEqual(['a', 'b'])
    expect(parseDictionary(['a=1', 'b=!'])).toEqual(refusal(7))
    expect(parseList([])).toEqual({ ok: true, value: [] })
    expect(parseItem([])).toEqual(refusal(0))
  })

  it('takes constructor as a key like any other, and no __proto__, which the grammar has not', () => {
    const dictionary = parseDictionary('a;constructor=1, constructor=2')
    expect(dictionary.ok && [...dictionary.value.keys()]).toEqual(['a', 'constructor'])
    const absent = parseDictionary('a')
    expect(absent.ok && absent.value.get('a')?.parameters.get('constructor')).toBe(undefined)
    expect(parseDictionary('__proto__=1')).toEqual(refusal(0))
    expect(parseItem('1;__proto__=1')).toEqual(refusal(2))
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it.each([
    ['("@method);keyid="k1"', 18, 'an unclosed quote that swallows the list'],
    ['(a b', 4, 'an unclosed inner list'],
    ['("a""b")', 4, 'items of an inner list without a space'],
    ['("a"\t"b")', 4, 'a tab in an inner list'],
    ['(\t"a")', 1, 'a tab where an inner list begins'],
    ['(("a"))', 1, 'an inner list in an inner list'],
    ['"a\\n"', 2, 'an escape that is not one'],
    ['"a\\', 2, 'a backslash at the end'],
    ['"\u00e9"', 1, 'a byte above 0x7f in a string'],
    ['"\u0000"', 1, 'a control character in a string'],
    ['a, ', 1, 'a comma with nothing behind it'],
    ['a b', 2, 'members without a comma'],
    ['1234567890123456', 15, 'a sixteenth digit'],
    ['1234567890123.1', 13, 'a thirteenth digit before the point'],
    ['1.1234', 5, 'a fourth digit behind the point'],
    ['1e9', 1, 'an exponent'],
    ['0x10', 1, 'a hexadecimal number'],
    ['+1', 0, 'a plus sign'],
    ['@', 1, 'a date without digits'],
    ['@a', 1, 'a date of letters'],
    ['@--1', 2, 'a date with two signs'],
    ['@1.5', 1, 'a date with a fraction'],
    ['?2', 1, 'a boolean that is neither'],
    [':YQ==', 5, 'a byte sequence without its end'],
    [':Y Q=:', 1, 'a space in a byte sequence'],
    [':_-8=:', 1, 'the URL-safe alphabet'],
    ['%"%C3%BC"', 2, 'upper-case hex in a display string'],
    ['%"%ed%a0%80"', 2, 'a surrogate in UTF-8'],
    ['a;B=1', 2, 'a parameter in upper case'],
    ['a;', 2, 'a semicolon with nothing behind it'],
    ['a ;b', 2, 'a space before a semicolon'],
  ])('refuses %j at offset %i: %s', (text, at) => {
    expect(parseList(text)).toEqual(refusal(at))
  })

  it('says what was expected, and never repeats what came', () => {
    expect(parseItem('"k1')).toEqual({ ok: false, at: 3, problem: 'expected the closing quote of a string' })
  })
})

describe('hostile text', () => {
  it('is refused at an offset inside it, or accepted, and never throws', () => {
    const any = fc.string({ unit: 'binary' })
    const meaningful = fc.string({
      unit: fc.constantFrom(...'()"\\;=,:?@%. \t-*aA01\u0000\u00e9\ud800'),
      maxLength: 40,
    })
    fc.assert(
      fc.property(fc.oneof(any, meaningful), (text) => {
        for (const parse of [parseItem, parseList, parseDictionary]) {
          const result = parse(text)
          if (result.ok) continue
          if (!(result.at >= 0 && result.at <= text.length) || result.problem === '') return false
        }
        return true
      }),
      { numRuns: 2000 },
    )
  })
})

describe('duplicate keys', () => {
  it('replace the value in its first place by default', () => {
    const dictionary = parseDictionary('a=1, b=2, a=3;x=1;y=2;x=3')
    expect(dictionary.ok && [...dictionary.value.keys()]).toEqual(['a', 'b'])
    const last = dictionary.ok ? dictionary.value.get('a') : undefined
    expect(last?.kind !== 'inner-list' && last && serializeItem(last)).toBe('3;x=3;y=2')
  })

  it('are refused on request, in dictionaries, and in parameters of whatever has them', () => {
    const refuse = { onDuplicate: 'refuse' } as const
    expect(parseDictionary('a=1, b=2, a=3', refuse)).toEqual(refusal(10))
    expect(parseDictionary(['a=1', 'a=1'], refuse)).toEqual(refusal(5))
    expect(parseDictionary('a=1;x;x', refuse)).toEqual(refusal(6))
    expect(parseDictionary('a;x;x', refuse)).toEqual(refusal(4))
    expect(parseDictionary('a=("b";x=1;x=2)', refuse)).toEqual(refusal(11))
    expect(parseDictionary('a=("b");x=1;y;x=2', refuse)).toEqual(refusal(14))
    expect(parseList('b;x;x', refuse)).toEqual(refusal(4))
    expect(parseItem('b;x;x', refuse)).toEqual(refusal(4))
    expect(parseDictionary('a=("b";x "b";x);x, c;x', refuse).ok).toBe(true)
  })
})

describe('byte sequences', () => {
  const bytesOf = (text: string, base64?: 'strict' | 'lenient') => {
    const item = parseItem(text, base64 && { base64 })
    return item.ok && item.value.kind === 'byte-sequence' ? [...item.value.value] : undefined
  }

  it('have one spelling by default', () => {
    expect(bytesOf(':YQ==:')).toEqual([97])
    for (const other of [':YQ:', ':YR==:', ':YQ=:', ':YQ===:', ':YWE:', ':YWF=:', ':Y:'])
      expect(bytesOf(other), other).toBe(undefined)
  })

  it('may lack padding and have pad bits set where the caller is lenient', () => {
    for (const text of [':YQ==:', ':YQ:', ':YR==:', ':YR:'])
      expect(bytesOf(text, 'lenient'), text).toEqual([97])
    for (const text of [':YWE=:', ':YWE:', ':YWF=:', ':YWF:'])
      expect(bytesOf(text, 'lenient'), text).toEqual([97, 97])
    for (const text of [':YQ=:', ':YQ===:', ':=YQ=:', ':Y:', ':YWFh=:', ':====:', ':=:', ':Y Q=:'])
      expect(bytesOf(text, 'lenient'), text).toBe(undefined)
  })
})

describe('the empty parameters that items share', () => {
  it('cannot be written to', () => {
    const item = parseItem('a')
    expect(item.ok && item.value.parameters).toBe(noParameters)
    if (!(noParameters instanceof Map)) throw new Error('expected a Map')
    const map = noParameters
    expect(() => map.set('a', true)).toThrow(TypeError)
    expect(() => map.delete('a')).toThrow(TypeError)
    expect(() => map.clear()).toThrow(TypeError)
    expect(map.size).toBe(0)
  })
})

describe('the work of parsing', () => {
  // Counted, not timed: characters looked at, copied or searched.
  const workOf = (parse: (text: string) => unknown, text: string): number => {
    const looks = vi.spyOn(String.prototype, 'charCodeAt')
    const copies = vi.spyOn(String.prototype, 'slice')
    const searches = vi.spyOn(String.prototype, 'indexOf')
    try {
      parse(text)
      let work = looks.mock.calls.length
      for (const { value } of copies.mock.results) work += value.length
      for (const [i, { value }] of searches.mock.results.entries())
        work += (value < 0 ? text.length : value) - Number(searches.mock.calls[i]?.[1] ?? 0)
      return work
    } finally {
      looks.mockRestore()
      copies.mockRestore()
      searches.mockRestore()
    }
  }

  const unit = (part: string, before = '', after = '') => ({ part, before, after })
  const shapes = [
    ...[
      '(',
      '()',
      '( ',
      'a',
      'a ',
      'a,',
      'a, ',
      'a,\t',
      'a;',
      'a;b',
      ';',
      ';a',
      '; a',
      ' ',
      '\t',
      ',',
      '1',
      '-',
    ],
    ...['"', '\\', '"a"', '%', '%"', ':', '::', '@', '?', '=', 'a=1,', 'a=(1),', 'a=1;a=1,', '\u00e9'],
  ].map((part) => unit(part))
  const openings = [
    ...[unit('a', '"'), unit('\\"', '"'), unit('\\"', '"', '"'), unit('%61', '%"'), unit('%61', '%"', '"')],
    ...[unit('A', ':'), unit('AAAA', ':', ':'), unit('AAAA', ':', '=:'), unit('=', ':', ':'), unit('1', '@')],
    ...[
      unit('a ', '('),
      unit('a ', '(', ')'),
      unit('a;a=1 ', '(', ')'),
      unit(' ', '(', ')'),
      unit(' ', 'a;'),
    ],
    ...[unit(';a', 'a'), unit('; a=1', 'a=()'), unit(' ', 'a ', ',b'), unit('\t', 'a', ','), unit('%', 'a')],
  ]

  it.each([...shapes, ...openings])('grows with the length and no faster: %j', ({ part, before, after }) => {
    for (const parse of [parseItem, parseList, parseDictionary]) {
      for (const base64 of ['strict', 'lenient'] as const) {
        const text = `${before}${part.repeat(Math.ceil(2000 / part.length))}${after}`
        expect(workOf((hostile) => parse(hostile, { base64 }), text)).toBeLessThanOrEqual(
          6 * text.length + 20,
        )
      }
    }
  })
})
