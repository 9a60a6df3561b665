import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldCount, fieldValue, fieldValues, isFieldName, trimBlanks } from './field-lines.ts'

const lines = ['Host', 'a', 'X-Part', ' one ', 'x-part', '\ttwo, three\t', 'X-PART', '', 'Other', 'b']

describe('fieldValues', () => {
  it('gives every line of a field in order, whatever its case, without blanks around', () => {
    expect(fieldValues(lines, 'x-part')).toEqual(['one', 'two, three', ''])
    expect(fieldValues(lines, 'absent')).toEqual([])
  })
})

describe('fieldValue', () => {
  it('joins the lines of a field with comma and blank', () => {
    expect(fieldValue(lines, 'x-part')).toBe('one, two, three, ')
    expect(fieldValue(lines, 'host')).toBe('a')
  })

  it('tells an empty field from an absent one', () => {
    expect(fieldValue(['X', ''], 'x')).toBe('')
    expect(fieldValue(['X', ' \t '], 'x')).toBe('')
    expect(fieldValue([], 'x')).toBeUndefined()
  })

  it('notices lines swapped, dropped or repeated', () => {
    const signed = fieldValue(['X', 'a', 'X', 'b'], 'x')
    expect(fieldValue(['X', 'b', 'X', 'a'], 'x')).not.toBe(signed)
    expect(fieldValue(['X', 'a'], 'x')).not.toBe(signed)
    expect(fieldValue(['X', 'a', 'X', 'b', 'X', 'b'], 'x')).not.toBe(signed)
  })

  it('reads one line with a list as it reads the list on two lines, as RFC 9110 section 5.2 does', () => {
    expect(fieldValue(['X', 'a, b'], 'x')).toBe(fieldValue(['X', 'a', 'X', 'b'], 'x'))
  })

  it.each(['__proto__', 'constructor', 'tostring', 'hasownproperty', 'valueof'])(
    'finds %s only where a line has it',
    (name) => {
      expect(fieldValue(lines, name)).toBeUndefined()
      expect(fieldValue([...lines, name.toUpperCase(), 'v'], name)).toBe('v')
      expect(fieldCount([...lines, name, 'v', name, 'w'], name)).toBe(2)
    },
  )

  it('never takes a value for a name', () => {
    expect(fieldValue(['A', 'host', 'B', 'host'], 'host')).toBeUndefined()
  })

  it('reads a field named like a derived component as a field', () => {
    expect(fieldValue(['@method', 'POST'], '@method')).toBe('POST')
  })

  it('agrees with Headers about any lines that Headers takes', () => {
    const name = fc.constantFrom('a', 'A', 'b', 'x-a')
    const value = fc.string({ unit: fc.constantFrom('v', ',', ' ', '\t', '"', '\xff'), maxLength: 5 })
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const headers = new Headers(pairs)
        for (const wanted of ['a', 'b', 'x-a']) {
          expect(fieldValue(pairs.flat(), wanted) ?? null).toBe(headers.get(wanted))
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('fieldCount', () => {
  it('counts lines, not list members', () => {
    expect(fieldCount(lines, 'x-part')).toBe(3)
    expect(fieldCount(lines, 'other')).toBe(1)
    expect(fieldCount(lines, 'absent')).toBe(0)
  })
})

describe('isFieldName', () => {
  it('agrees with lower-casing for every ASCII name', () => {
    const name = fc.string({ unit: fc.constantFrom(...'aAzZ@[`{-09'), maxLength: 4 })
    fc.assert(
      fc.property(name, name, (received, other) => {
        const lower = other.toLowerCase()
        expect(isFieldName(received, lower)).toBe(received.toLowerCase() === lower)
      }),
      { numRuns: 2000 },
    )
  })

  it('takes no letter beyond ASCII for one of it', () => {
    expect(isFieldName('\u212aey', 'key')).toBe(false)
    expect(isFieldName('\u0130d', 'id')).toBe(false)
    expect(isFieldName('Ä', 'ä')).toBe(false)
  })
})

describe('trimBlanks', () => {
  it('takes spaces and tabs from both ends and nothing else from anywhere', () => {
    expect(trimBlanks(' \t a \t b \t ')).toBe('a \t b')
    for (const kept of ['\u00a0a', 'a\n', '\ra', 'a\v', '\ufeffa', 'a\0']) expect(trimBlanks(kept)).toBe(kept)
    expect(trimBlanks('\t \t')).toBe('')
  })

  it('takes time in proportion to blanks inside a value', () => {
    const text = `a${' '.repeat(100_000)}b`
    expect(trimBlanks(text)).toBe(text)
  })
})
