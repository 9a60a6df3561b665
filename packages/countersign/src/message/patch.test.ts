import { describe, expect, it } from 'vitest'
import { requestMessage } from './message.ts'
import { applyPatch } from './patch.ts'

describe('applyPatch', () => {
  it('replaces every line of a field that is set, whatever its case, and keeps the others in order', () => {
    const message = requestMessage({
      url: '/a',
      headers: [
        ['Host', 'example.test'],
        ['authorization', 'Basic a'],
        ['X-A', '1'],
        ['AUTHORIZATION', 'Basic b'],
      ],
    })
    const patched = applyPatch(message, { set: [['Authorization', 'new']] })
    expect(patched.fields).toEqual(['Host', 'example.test', 'X-A', '1', 'Authorization', 'new'])
  })

  it('appends query parameters behind those that are there', () => {
    const headers = { Host: 'example.test' }
    const target = (url: string) =>
      applyPatch(requestMessage({ url, headers }), { set: [], query: 'b=2' }).target
    expect(target('/a')).toBe('/a?b=2')
    expect(target('/a?a=1')).toBe('/a?a=1&b=2')
  })
})
