import { describe, expect, it } from 'vitest'
import { readHttpText } from './http-text.ts'

const read = (text: string) => {
  const { body, ...rest } = readHttpText(Buffer.from(text, 'latin1'))
  return { ...rest, body: Buffer.from(body).toString('latin1') }
}

describe('readHttpText', () => {
  it('reads line, fields and body, and joins or decodes nothing', () => {
    expect(
      read(
        'POST //a/../b?x=%7e HTTP/1.1\r\nHost: x\r\nX-a:  1 \t\r\nx-A:\r\nContent-Length: 3\r\n\r\n\0\xff\n',
      ),
    ).toEqual({
      method: 'POST',
      target: '//a/../b?x=%7e',
      fields: [
        ['Host', 'x'],
        ['X-a', '1'],
        ['x-A', ''],
        ['Content-Length', '3'],
      ],
      body: '\0\xff\n',
    })
  })

  it('reads what an editor saved: bare LF, a line break behind the body, no empty line at the end', () => {
    expect(read('POST / HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi\n').body).toBe('hi')
    expect(read('GET / HTTP/1.1\nHost: x\n').fields).toEqual([['Host', 'x']])
    expect(read('GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n').body).toBe('')
  })

  it('reads chunks', () => {
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
    expect(read(`${head}2;ext=1\r\nhi\r\nA\r\n0123456789\r\n0\r\n\r\n`).body).toBe('hi0123456789')
    for (const chunks of [
      '2\r\nhi\r\n',
      '2\r\nh',
      '2\nhi\n0\n\n',
      '-1\r\n',
      '0x2\r\nhi\r\n0\r\n\r\n',
      '0\r\nX: y\r\n\r\n',
    ]) {
      expect(() => read(head + chunks), chunks).toThrow('of the body')
    }
  })

  it('refuses a body whose end is in doubt', () => {
    const texts: readonly (readonly [string, string])[] = [
      ['POST / HTTP/1.1\nHost: x\n\nhi', 'no Content-Length'],
      ['POST / HTTP/1.1\nContent-Length: 3\n\nhi', 'the body has 2 bytes'],
      ['POST / HTTP/1.1\nContent-Length: 1\n\nhi!', '2 bytes behind'],
      ['POST / HTTP/1.1\nContent-Length: 1\nContent-Length: 1\n\nh', 'one whole number'],
      ['POST / HTTP/1.1\nContent-Length: +1\n\nh', 'one whole number'],
      ['POST / HTTP/1.1\nContent-Length: 1\nTransfer-Encoding: chunked\n\nh', 'exclude'],
      ['POST / HTTP/1.1\nTransfer-Encoding: gzip, chunked\n\nh', 'only chunked'],
    ]
    for (const [text, message] of texts) expect(() => read(text), text).toThrow(message)
  })

  it('names the line that is not HTTP', () => {
    const texts: readonly (readonly [string, string])[] = [
      ['', 'line 1'],
      ['{"log":{"entries":[]}}', 'line 1'],
      ['GET / HTTP/2\nHost: x\n', 'line 1'],
      ['GET  / HTTP/1.1\n', 'line 1'],
      ['GET /a b HTTP/1.1\n', 'line 1'],
      ['GET / HTTP/1.1\nHost : x\n\n', 'line 2'],
      ['GET / HTTP/1.1\nHost: x\n folded\n\n', 'line 3'],
      ['GET / HTTP/1.1\nHost: x\0\n\n', 'line 2'],
      ['\x7fELF\x02\x01\x01', 'line 1'],
    ]
    for (const [text, message] of texts) expect(() => read(text), text).toThrow(message)
  })

  it('stays linear on hostile text', () => {
    const started = process.hrtime.bigint()
    for (const text of [
      'a'.repeat(260_000),
      `GET / HTTP/1.1\nX:${' '.repeat(260_000)}\0\n\n`,
      'GET '.repeat(65_000),
    ]) {
      expect(() => read(text)).toThrow()
    }
    expect(() => readHttpText(new Uint8Array(16_777_216))).toThrow('no HTTP request')
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2000)
  })
})
