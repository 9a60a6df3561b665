import { describe, expect, it } from 'vitest'
import { type Reason, reasons } from '../reasons/reasons.ts'
import type { Refused } from '../verifier/verdict.ts'
import { publicReason, respond } from './respond.ts'

function refused(reason: string, parts: Partial<Refused> = {}): Refused {
  return {
    ok: false,
    reason: reason as Reason, // the tests go through the keys of the table, which TypeScript gives as text
    status: reasons[reason as Reason].status, // as above
    headers: [],
    detail: 'inside',
    enforced: true,
    mode: 'enforce',
    scheme: 'rfc9421',
    claim: undefined,
    ...parts,
  }
}

describe('respond', () => {
  it('answers with problem details that no cache keeps', () => {
    const answer = respond(refused('created-stale'))
    expect(answer.status).toBe(401)
    expect(answer.headers).toEqual([
      ['Content-Type', 'application/problem+json'],
      ['Cache-Control', 'no-store'],
    ])
    expect(JSON.parse(String(answer.body))).toEqual({
      title: 'Unauthorized',
      status: 401,
      detail: 'The signature is too old.',
      reason: 'created-stale',
    })
  })

  it('sends the challenge of the verdict, a name as often as it is there', () => {
    const headers = [
      ['WWW-Authenticate', 'A'],
      ['WWW-Authenticate', 'B'],
    ] as const
    expect(respond(refused('signature-absent', { headers })).headers.slice(2)).toEqual(headers)
  })

  it('answers an unknown key, a dead one and a wrong signature with the same bytes', () => {
    const same = ['credential-unknown', 'credential-inactive', 'credential-expired', 'signature-mismatch']
    const answers = same.map((reason) => respond(refused(reason, { detail: reason })))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(String(answers[0]?.body)).toContain('"signature-refused"')
  })

  it('tells outsiders nothing but the text and code meant for them', () => {
    for (const [reason, row] of Object.entries(reasons)) {
      const body = String(respond(refused(reason)).body)
      expect(body).toContain(row.outside)
      expect(body).not.toContain('inside')
      expect(body).not.toContain(row.meaning)
    }
  })

  it('keeps the status of a scheme whose ancestor answered another', () => {
    expect(respond(refused('signature-mismatch', { status: 403 })).status).toBe(403)
  })
})

describe('publicReason', () => {
  it('gives one code for one text', () => {
    const texts = new Map<string, string>()
    for (const [reason, { outside }] of Object.entries(reasons)) {
      const code = publicReason(refused(reason).reason)
      expect(texts.get(code) ?? outside).toBe(outside)
      texts.set(code, outside)
    }
    expect(texts.size).toBe(new Set(Object.values(reasons).map(({ outside }) => outside)).size)
  })
})
