import { describe, expect, it } from 'vitest'
import { tally } from './tally.mjs'

const file = (status: string, ...statuses: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: statuses.map((each, i) => ({ status: each, fullName: `${each} ${i}` })),
})

describe('tally', () => {
  it('counts over all files', () => {
    const { line } = tally({
      testResults: [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')],
    })
    expect(line).toBe('3 passed, 1 failed')
  })

  it('counts a file that could not run as one failed test', () => {
    expect(tally({ testResults: [file('passed', 'passed'), file('failed')] }).line).toBe('1 passed, 1 failed')
  })

  it('names what was skipped, by any of the words Vitest has for it', () => {
    const counted = tally({ testResults: [file('passed', 'passed', 'skipped', 'pending', 'todo')] })
    expect(counted.line).toBe('1 passed, 0 failed, 3 skipped')
    expect(counted.skipped).toEqual(['skipped 1', 'pending 2', 'todo 3'])
  })

  it('invents nothing where nothing ran', () => {
    expect(tally({ testResults: [] }).line).toBe('0 passed, 0 failed')
  })
})
