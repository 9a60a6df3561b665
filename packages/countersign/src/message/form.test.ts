import { describe, expect, it } from 'vitest'
import { formType } from './form.ts'

describe('formType', () => {
  it.each([
    ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded'],
    [' Application/X-WWW-Form-URLencoded ; charset=utf-8', 'application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=B', 'multipart/form-data'],
    ['application/x-url-encoded', 'application/x-url-encoded'],
    ['application/json', undefined],
    ['text/plain; x=multipart/form-data', undefined],
    ['multipart/mixed', undefined],
    ['', undefined],
    [';', undefined],
  ])('reads %j', (value, type) => {
    expect(formType(['Host', 'a', 'CONTENT-TYPE', value])).toBe(type)
  })

  it('finds a form on any of several lines, and none where there is no line', () => {
    expect(formType(['content-type', 'text/plain', 'content-type', 'multipart/form-data'])).toBe(
      'multipart/form-data',
    )
    expect(formType([])).toBeUndefined()
  })
})
