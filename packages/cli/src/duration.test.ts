import { describe, expect, it } from 'vitest'
import {
  instantText,
  readDuration,
  readInstant,
  readInstantOrSpan,
  readPositiveDuration,
} from './duration.ts'

describe('readDuration', () => {
  it('reads one whole number and one unit as seconds', () => {
    expect(['0s', '90s', '30m', '24h', '7d', '3650d'].map(readDuration)).toEqual([
      0, 90, 1800, 86_400, 604_800, 315_360_000,
    ])
  })

  it('refuses everything else', () => {
    const wrong = [
      '',
      '24',
      'h',
      '1.5h',
      '-1h',
      '+1h',
      '1h30m',
      '01h',
      '1 h',
      '1H',
      '1e3s',
      '0x1s',
      '3651d',
      '9999999999s',
    ]
    for (const text of wrong)
      expect(() => readDuration(text), text).toThrow('Expected a whole number and a unit')
    expect(() => readPositiveDuration('0s')).toThrow('Expected more than nothing')
  })
})

describe('readInstant', () => {
  it('reads seconds since the epoch, days and times in UTC', () => {
    expect(['1700000000', '2023-11-14', '2023-11-14T22:13:20Z'].map(readInstant)).toEqual([
      1_700_000_000, 1_699_920_000, 1_700_000_000,
    ])
    expect(instantText(1_700_000_000)).toBe('2023-11-14T22:13:20Z')
  })

  it('refuses days that do not exist, other zones and fractions', () => {
    const wrong = ['2023-02-29', '2023-13-01', '2023-1-1', '2023-11-14T22:13:20', '2023-11-14T22:13:20+01:00']
    for (const text of [...wrong, '2023-11-14T24:00:00Z', '2023-11-14T22:13:20.5Z', 'tomorrow', '-1', '']) {
      expect(() => readInstant(text), text).toThrow('Expected a time in UTC')
    }
  })

  it('tells an instant from a span', () => {
    expect(readInstantOrSpan('90d')).toEqual({ inSeconds: 7_776_000 })
    expect(readInstantOrSpan('2023-11-14')).toEqual({ at: 1_699_920_000 })
    expect(() => readInstantOrSpan('1700000000')).toThrow('unit')
  })
})
