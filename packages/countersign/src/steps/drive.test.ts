import { describe, expect, it } from 'vitest'
import { secretFrom } from '../keys/secret.ts'
import { drive, driveSync } from './drive.ts'
import type { Driver } from './need.ts'
import { ask, type Steps } from './steps.ts'
import { recording } from './trace.ts'

/** A driver that answers from a table; what is not in it fails. */
function table(answers: Partial<Driver>): Driver {
  const missing = (): never => {
    throw new Error('not in the table')
  }
  return {
    credential: missing,
    body: missing,
    'body-digest': missing,
    mac: missing,
    verify: missing,
    sign: missing,
    nonce: missing,
    random: missing,
    time: missing,
    ...answers,
  }
}

/** Asks twice, and says what failed. */
function* twice(): Steps<string> {
  try {
    return `${yield* ask({ kind: 'random', byteLength: 1 })} at ${yield* ask({ kind: 'time' })}`
  } catch (failure) {
    return `failed: ${failure instanceof Error ? failure.message : ''}`
  }
}

const later = <T>(value: T) => Promise.resolve(value)

describe('driving steps', () => {
  it('gives a result at once where every answer comes at once', () => {
    expect(drive(twice(), table({ random: () => 'a', time: () => 7 }))).toBe('a at 7')
    expect(driveSync(twice(), table({ random: () => 'a', time: () => 7 }))).toBe('a at 7')
  })

  it.each([
    ['the first', { random: () => later('a'), time: () => 7 }],
    ['the second', { random: () => 'a', time: () => later(7) }],
    ['both', { random: () => later('a'), time: () => later(7) }],
  ])('waits for %s answer', async (_, answers) => {
    const given = drive(twice(), table(answers))
    expect(given).toBeInstanceOf(Promise)
    expect(await given).toBe('a at 7')
  })

  it.each([
    ['thrown at once', { random: () => 'a' }],
    ['thrown behind an answer that came later', { random: () => later('a') }],
    ['rejected', { random: () => Promise.reject(new Error('not in the table')) }],
  ])('hands a failure to the steps, which decide: %s', async (_, answers) => {
    expect(await drive(twice(), table(answers))).toBe('failed: not in the table')
  })

  it('refuses to wait where it must not, and leaves no rejection behind', () => {
    const driver = table({ random: () => Promise.reject(new Error('later')) })
    expect(() => driveSync(twice(), driver)).toThrow(expect.objectContaining({ code: 'sync-impossible' }))
  })

  it('writes down what was asked and answered, and no secret', async () => {
    const secret = secretFrom.utf8('a secret of the tests')
    function* mac(): Steps<string> {
      yield* ask({ kind: 'time' })
      return yield* ask({ kind: 'mac', hash: 'sha256', secret, base: { text: 'base' }, encoding: 'hex' })
    }
    const { driver, entries } = recording(table({ time: () => 7, mac: () => later('the mac itself') }))
    expect(await drive(mac(), driver)).toBe('the mac itself')
    expect(entries).toEqual([
      { kind: 'time', asked: 'the present', answered: '7' },
      { kind: 'mac', asked: 'HMAC sha256 of 4 characters of base', answered: 'made' },
    ])
    expect(JSON.stringify(entries)).not.toContain('itself')
  })
})
