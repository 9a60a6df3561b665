import { describe, expect, it } from 'vitest'
import { requestMessage } from '../message/message.ts'
import { isSameForm } from './same-form.ts'

const at = (url: string, rest: { method?: string; body?: string; accept?: string } = {}) =>
  requestMessage({
    url,
    headers: { Host: 'a', Accept: rest.accept ?? '*/*' },
    ...(rest.method === undefined ? {} : { method: rest.method }),
    ...(rest.body === undefined ? {} : { body: rest.body }),
  })

describe('isSameForm', () => {
  it('sees through order, escapes and blanks of a query', () => {
    expect(isSameForm(at('/?a=1&b=%7e&c'), at('/?c=&&b=~&a=%31'))).toBe(true)
    expect(isSameForm(at('/'), at('/?&'))).toBe(true)
  })

  it('tells apart what an application tells apart', () => {
    const signed = at('/p?a=1', { body: 'x' })
    expect(isSameForm(signed, signed)).toBe(true)
    for (const other of [
      at('/p?a=2', { body: 'x' }),
      at('/p?a=1&a=1', { body: 'x' }),
      at('/p??a=1', { body: 'x' }),
      at('/%70?a=1', { body: 'x' }),
      at('/p?a=1', { body: 'y' }),
      at('/p?a=1'),
      at('/p?a=1', { body: 'x', method: 'PUT' }),
      at('/p?a=1', { body: 'x', accept: 'text/plain' }),
    ]) {
      expect(isSameForm(signed, other)).toBe(false)
    }
  })
})
