import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatHttpDate, parseHttpDate } from './http-date.ts'

describe('parseHttpDate', () => {
  it('reads the example of RFC 9110 section 5.6.7', () => {
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toEqual({ at: 784_111_777, isWeekdayRight: true })
  })

  it('reads what the runtime writes, for every instant of the years 1970 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (at) => {
        const text = new Date(at * 1000).toUTCString()
        expect(parseHttpDate(text)).toEqual({ at, isWeekdayRight: true })
        expect(formatHttpDate(at)).toBe(text)
      }),
      { numRuns: 5000 },
    )
  })

  it('reads and writes every day of a century, the ends of it included', () => {
    for (let day = 0; day < 36_600; day++) {
      const at = day * 86_400 + (day % 86_400)
      expect(parseHttpDate(formatHttpDate(at))).toEqual({ at, isWeekdayRight: true })
    }
    expect(formatHttpDate(0)).toBe('Thu, 01 Jan 1970 00:00:00 GMT')
    expect(formatHttpDate(253_402_300_799)).toBe('Fri, 31 Dec 9999 23:59:59 GMT')
  })

  it('says whether the weekday is that of the day', () => {
    expect(parseHttpDate('Thu, 05 Jan 2014 21:31:40 GMT')).toEqual({
      at: 1_388_957_500,
      isWeekdayRight: false,
    })
  })

  it('TI-04 TI-07 TI-08 gives nothing for any other form', () => {
    for (const text of [
      '',
      'garbage',
      'yesterday',
      '1',
      '0',
      '1700000000',
      '(c) 21 Nov 2026',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
      'Sun, 06 Nov 1994 08:49:37 +0000',
      'Sun, 06 Nov 1994 08:49:37 +0200',
      'Sun, 06 Nov 1994 08:49:37 UTC',
      'Sun, 06 Nov 1994 08:49:37',
      'sun, 06 nov 1994 08:49:37 gmt',
      'SUN, 06 NOV 1994 08:49:37 GMT',
      'Sun, 6 Nov 1994 08:49:37 GMT',
      'Sun,  06 Nov 1994 08:49:37 GMT',
      'Sun, 06 Nov 94 08:49:37 GMT',
      'Sun, 06 Nov 01994 08:49:37 GMT',
      'Sun, 00 Nov 1994 08:49:37 GMT',
      'Wed, 31 Nov 1994 08:49:37 GMT',
      'Tue, 29 Feb 2023 08:49:37 GMT',
      'Sun, 29 Feb 2100 08:49:37 GMT',
      'Sun, 06 Xyz 1994 08:49:37 GMT',
      'Abc, 06 Nov 1994 08:49:37 GMT',
      'Sun, 06 Nov 1994 24:00:00 GMT',
      'Sun, 06 Nov 1994 08:60:37 GMT',
      'Sat, 31 Dec 2016 23:59:60 GMT',
      'Wed, 31 Dec 1969 23:59:59 GMT',
      'Sun, 06 Nov 1994 08:49:37 GMT ',
      ' Sun, 06 Nov 1994 08:49:37 GMT',
      'Sun, 06 Nov 1994 08:49:37 GMT\n',
      'Sun, 06 Nov 1994 ٠8:49:37 GMT',
      'Sun, 06 Nov 1994 08:49:37 GMT'.repeat(1000),
    ]) {
      expect(parseHttpDate(text), text.slice(0, 40)).toBeUndefined()
    }
  })

  it('reads the leap day of a year that has one', () => {
    expect(parseHttpDate('Tue, 29 Feb 2000 12:00:00 GMT')).toEqual({ at: 951_825_600, isWeekdayRight: true })
    expect(parseHttpDate('Thu, 29 Feb 2024 00:00:00 GMT')).toEqual({
      at: 1_709_164_800,
      isWeekdayRight: true,
    })
  })
})
