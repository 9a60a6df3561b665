import { describe, expect, it } from 'vitest'
import { requestMessage, wireRequest } from '../message/message.ts'
import { queryOf } from '../message/target.ts'
import { tamper } from './tamper.ts'

const message = requestMessage({
  method: 'PUT',
  url: 'https://a.test/p?q=1',
  headers: { Host: 'a.test', Authorization: 'Key abc', 'X-Other': 'o' },
  body: 'hi',
})

const all = [...tamper(message)]
const targets = (covers: readonly string[]): readonly string[] =>
  [...tamper(message, { covers, credentialFields: [] })].map(({ message }) => message.target)

describe('tamper', () => {
  it('changes one thing at a time, to a message that is legal and differs', () => {
    expect(all.length).toBeGreaterThan(200)
    for (const { name, message: changed } of all) {
      expect(changed.problem, name).toBeUndefined()
      const differing = [
        changed.method !== message.method,
        changed.target !== message.target,
        changed.authority !== message.authority,
        changed.fields[3] !== message.fields[3],
        String(changed.body) !== String(message.body),
      ]
      expect(differing.filter(Boolean), name).toHaveLength(1)
    }
  })

  it('changes every byte of every part', () => {
    for (const [part, first, length] of [
      ['method', 0, 3],
      // The slash that a target begins with cannot be anything else.
      ['target', 1, 6],
      ['authority', 0, 6],
      ['authorization', 0, 7],
      ['body', 0, 2],
    ] as const) {
      const names = all.map(({ name }) => name).filter((name) => name.startsWith(`${part}: `))
      for (let at = first; at < length; at++) {
        const flipped = names.filter((name) => name.endsWith(` of byte ${at} flipped`))
        expect(flipped.length, `${part} ${at}`).toBeGreaterThan(0)
      }
      expect(names.some((name) => name.endsWith(` inserted at ${length}`))).toBe(true)
    }
  })

  it('leaves out what the signature does not cover', () => {
    expect(all.some(({ message }) => message.fields.at(-1) !== 'o')).toBe(false)
    const covered = [...tamper(message, { covers: ['"x-other";sf'], credentialFields: [] })]
    expect(covered.length).toBeGreaterThan(5)
    for (const { message: changed } of covered) expect(changed.fields.at(-1)).not.toBe('o')
    expect(targets(['@path']).length).toBeGreaterThan(10)
    expect(targets(['@path']).some((target) => target.startsWith('/p?'))).toBe(false)
    expect(targets(['@query']).length).toBeGreaterThan(10)
    expect(targets(['@query']).some((target) => queryOf(target) === 'q=1')).toBe(false)
    expect(targets(['@method']).every((target) => target === message.target)).toBe(true)
  })

  it('shows nothing of a credential or a body in its names', () => {
    for (const { name } of all) expect(name).not.toMatch(/Key|abc|hi/)
  })

  it('does not change a host in case alone, nor a field by blanks at its ends', () => {
    for (const { message: changed } of all) {
      if (changed.authority !== message.authority) expect(changed.authority.toLowerCase()).not.toBe('a.test')
      if (changed.fields[3] !== message.fields[3]) expect(changed.fields[3]?.trim()).not.toBe('Key abc')
    }
  })

  it('changes 512 positions of a long body, both ends among them', () => {
    const body = new Uint8Array(5000)
    const names = [
      ...tamper(wireRequest({ ...message, body }), { covers: ['@body'], credentialFields: [] }),
    ].map(({ name }) => name)
    expect(names).toHaveLength(512 * (8 + 1 + 3))
    expect(names).toContain('body: byte 0 deleted')
    expect(names).toContain('body: byte 4999 deleted')
  })

  it('refuses a body that is not bytes', () => {
    const streamed = wireRequest({
      ...message,
      body: { kind: 'body-source', bytes: () => new Uint8Array(1) },
    })
    expect(() => [...tamper(streamed)]).toThrow(expect.objectContaining({ code: 'body-unavailable' }))
  })
})
