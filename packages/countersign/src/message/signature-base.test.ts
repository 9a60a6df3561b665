import { describe, expect, it } from 'vitest'
import { signatureBaseLines } from './signature-base.ts'

describe('signatureBaseLines', () => {
  it('takes a line feed at the end as the end of the last line', () => {
    const lines = signatureBaseLines({ text: 'GET\n/a\n\n', labels: ['method', 'path', 'query'] })
    expect(lines).toEqual([
      { label: 'method', text: 'GET' },
      { label: 'path', text: '/a' },
      { label: 'query', text: '' },
    ])
  })

  it('shows the length of the body and nothing of it', () => {
    const lines = signatureBaseLines({ text: 'a', body: new Uint8Array([80, 81]) })
    expect(lines).toEqual([
      { label: 'line 1', text: 'a' },
      { label: 'body', text: '2 bytes' },
    ])
  })
})
