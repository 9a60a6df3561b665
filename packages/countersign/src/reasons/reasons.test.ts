import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CountersignError, errorCodes } from './error.ts'
import { isRefusal, reasons, refuse } from './reasons.ts'
import { warnings } from './warnings.ts'

const here = new URL('.', import.meta.url)
const page = readFileSync(new URL('../../../../docs/reasons.md', here), 'utf8')

/** Rows of the table below a heading, each as its trimmed cells. */
function tableBelow(heading: string): readonly (readonly string[])[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

/** Members of a union of string literals as they stand in the source. */
function unionIn(file: string, type: string): readonly string[] {
  const source = readFileSync(new URL(file, here), 'utf8')
  const union = source.split(`export type ${type} =`)[1]?.split('\n\n')[0] ?? ''
  return [...union.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '')
}

describe('the reason table', () => {
  it('has a row for every code of the type, in the same order, and no other', () => {
    expect(Object.keys(reasons)).toEqual(unionIn('reasons.ts', 'Reason'))
  })

  it('stands in docs/reasons.md with the same codes, statuses and meanings, in the same order', () => {
    const documented = tableBelow('Reasons').map((cells) => cells.slice(0, 3))
    const rows = Object.entries(reasons).map(([code, { status, meaning }]) => [
      `\`${code}\``,
      `${status}`,
      meaning,
    ])
    expect(documented).toEqual(rows)
  })

  it('comes with advice for every reason', () => {
    for (const cells of tableBelow('Reasons')) {
      expect(cells).toHaveLength(4)
      expect(cells[3]).toMatch(/^[A-Z].+\.$/)
    }
  })

  it('answers 401 but for the few reasons that are about something else than the signature', () => {
    const others = Object.entries(reasons).filter(([, { status }]) => status !== 401)
    expect(others.map(([code, { status }]) => [code, status])).toEqual([
      ['message-malformed', 400],
      ['body-too-large', 413],
      ['right-missing', 403],
      ['rate-limited', 429],
      ['store-unavailable', 503],
    ])
  })

  it('tells outsiders the same for an unknown key, a dead key, a wrong algorithm and a wrong signature', () => {
    const told = (
      ['credential-unknown', 'credential-inactive', 'credential-expired', 'algorithm-refused'] as const
    ).map((code) => reasons[code].outside)
    expect(new Set([...told, reasons['signature-mismatch'].outside]).size).toBe(1)
  })
})

describe('refuse', () => {
  it('makes what isRefusal tells from everything else', () => {
    const refusal = refuse('replayed', 'seen before')
    expect(refusal).toMatchObject({ reason: 'replayed', detail: 'seen before' })
    expect(isRefusal(refusal)).toBe(true)
    for (const other of [undefined, null, 'replayed', 0, [], new CountersignError('store-failed', 'x')]) {
      expect(isRefusal(other)).toBe(false)
    }
  })
})

describe('the error codes', () => {
  it('have a row for every code of the type, in the same order, and no other', () => {
    expect(Object.keys(errorCodes)).toEqual(unionIn('error.ts', 'ErrorCode'))
  })

  it('stand in docs/reasons.md with the same meanings, in the same order, each with advice', () => {
    const documented = tableBelow('Error codes')
    expect(documented.map((cells) => cells.slice(0, 2))).toEqual(
      Object.entries(errorCodes).map(([code, meaning]) => [`\`${code}\``, meaning]),
    )
    for (const cells of documented) {
      expect(cells).toHaveLength(3)
      expect(cells[2]).toMatch(/^[A-Z].+\.$/)
    }
  })
})

describe('CountersignError', () => {
  it('carries its code, its message and its cause', () => {
    const cause = new Error('disk full')
    const error = new CountersignError('store-failed', 'the store cannot write', { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'CountersignError',
      code: 'store-failed',
      message: 'the store cannot write',
    })
    expect(error.cause).toBe(cause)
  })
})

describe('the warning table', () => {
  it('has a row for every code of the type, and stands in docs/reasons.md', () => {
    expect(Object.keys(warnings)).toEqual(unionIn('warnings.ts', 'Warning'))
    expect(tableBelow('Warnings')).toEqual(
      Object.entries(warnings).map(([code, meaning]) => [`\`${code}\``, meaning]),
    )
  })
})
