import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Stand, startStand } from './proving/stand.ts'
import { sendBytes } from './proving/wire.ts'

describe('the listening side', () => {
  let stand: Stand
  beforeAll(async () => {
    stand = await startStand({ config: { timeouts: { requestSeconds: 2, headersSeconds: 2 } } })
  })
  afterAll(() => stand.close())
  beforeEach(() => expect(stand.recorder.bytes).toBe(0))

  it.each(['identity', 'xchunked', '"chunked"', 'gzip'])(
    'answers 400 to a POST with Transfer-Encoding %s, whose content nobody can delimit',
    async (coding) => {
      for (const content of ['', 'abc', '3\r\nabc\r\n0\r\n\r\n']) {
        const head = `POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: ${coding}\r\n\r\n`
        const answer = await sendBytes(stand.port, head + content)
        expect([answer.status, stand.outcome()]).toEqual([400, 'framing-refused'])
        expect(answer.fields.get('connection')).toBe('close')
        expect(JSON.parse(answer.body)).toMatchObject({ reason: 'framing-refused' })
      }
    },
  )

  it.each(['2.0', '0.9'])('answers 505 to a request that calls itself HTTP/%s', async (version) => {
    for (const line of [`GET / HTTP/${version}`, `GET /.countersign/health HTTP/${version}`]) {
      const answer = await sendBytes(stand.port, `${line}\r\nHost: a.test\r\n\r\n`)
      expect([answer.status, stand.outcome()]).toEqual([505, 'version-refused'])
    }
  })
})
