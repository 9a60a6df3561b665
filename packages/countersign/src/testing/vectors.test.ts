import { describe, expect, it } from 'vitest'
import { seedBytes, seedRequest } from './vectors.ts'

const request = {
  method: 'POST',
  url: 'https://api.example.test/a?b',
  target: '//a/../%2F?b',
  headers: [
    ['Host', 'api.example.test'],
    ['X-Blank', ' \tv '],
    ['x-blank', '\xe9'],
  ] as const,
  bodyBase64: 'AP8=',
}

describe('seedRequest', () => {
  it('keeps target, field lines and blanks as they went over the wire', () => {
    const message = seedRequest(request)
    expect(message).toMatchObject({
      method: 'POST',
      scheme: 'https',
      target: '//a/../%2F?b',
      problem: undefined,
    })
    expect(message.fields).toEqual(['Host', 'api.example.test', 'X-Blank', ' \tv ', 'x-blank', '\xe9'])
    expect(message.body).toEqual(Uint8Array.of(0, 255))
  })

  it('takes an empty body for none', () => {
    expect(seedRequest({ ...request, bodyBase64: '' }).body).toBeUndefined()
  })

  it('passes on what makes a message unjudgeable as its problem', () => {
    expect(seedRequest({ ...request, headers: [] }).problem).toBeDefined()
  })

  it('refuses a vector whose base64 is damaged', () => {
    expect(() => seedBytes('AP8')).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })
})
