import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAuthParams } from './auth-params.ts'

describe('parseAuthParams', () => {
  it('reads quoted values and tokens, with blanks around commas', () => {
    expect(parseAuthParams('a="x, y=z",b=7 ,\tC=d-e')).toEqual([
      { name: 'a', value: 'x, y=z', isQuoted: true },
      { name: 'b', value: '7', isQuoted: false },
      { name: 'C', value: 'd-e', isQuoted: false },
    ])
    expect(parseAuthParams('a=""')).toEqual([{ name: 'a', value: '', isQuoted: true }])
  })

  it('gives back whatever was written in its one form', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/)
    const value = fc.stringMatching(/^[ !#-[\]-~\xa0-\xff]{0,40}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 16 }), (pairs) => {
        const text = pairs.map(([name, value]) => `${name}="${value}"`).join(', ')
        expect(parseAuthParams(text)).toEqual(pairs.map(([name, value]) => ({ name, value, isQuoted: true })))
      }),
    )
  })

  it('PA-17 PA-21 says what is wrong with everything else', () => {
    for (const text of [
      '',
      ' ',
      ',',
      'a',
      'a=',
      '="x"',
      'a="x',
      'a=x"',
      'a="x"y',
      'a="x" b="y"',
      'a="x";b="y"',
      'a="x",',
      ',a="x"',
      'a="x",,b="y"',
      'a ="x"',
      'a= "x"',
      'a="\\"x"',
      'x="a,keyId=\\"bob\\"",keyId="alice"',
      'a="\n"',
      'a="\0"',
      'a="\x7f"',
      'a="\x85"',
      'a="\u{1f600}"',
      '"a"="x"',
      'k ey="x"',
      'a=x@y',
      `${'a'.repeat(65)}=1`,
      Array.from({ length: 17 }, (_, i) => `p${i}=1`).join(),
      ' '.repeat(8192),
      `a=1${' '.repeat(8190)}`,
    ]) {
      expect(typeof parseAuthParams(text), text.slice(0, 40)).toBe('string')
    }
  })

  it('takes no longer than it should over the worst text that is not refused for its length', () => {
    for (const piece of [' ', 'a=', 'a="', 'a=1,', '=', '"', 'a=""', 'a=1 \t']) {
      const text = piece.repeat(Math.floor(8192 / piece.length))
      const from = performance.now()
      parseAuthParams(text)
      expect(performance.now() - from).toBeLessThan(50)
    }
  })
})
