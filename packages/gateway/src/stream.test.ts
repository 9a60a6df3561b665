import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { memoryCredentials } from 'countersign'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Recorder, startRecorder } from './proving/recorder.ts'
import { chunked, type Framing, requestBytes, signedRequest, testCredential } from './proving/signed.ts'
import { type Stand, startStand } from './proving/stand.ts'
import { openSocket, readAnswer, sendBytes } from './proving/wire.ts'
import { heldBackBytes } from './stream.ts'

describe('a body that is streamed', () => {
  let stand: Stand
  let recorder: Recorder
  let onData: (total: number, socket: Socket) => void = () => undefined
  let answersEarly = false
  const size = 1_000_000
  const body = randomBytes(size)

  beforeAll(async () => {
    recorder = await startRecorder(undefined, (total, socket) => {
      onData(total, socket)
      if (answersEarly && total < 200_000) {
        answersEarly = false
        socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nearly')
      }
    })
    stand = await startStand({
      recorder,
      credentials: memoryCredentials([testCredential, { ...testCredential, id: 'caller-2' }]),
      config: {
        schemes: ['rfc9421', 'ustudio-hmac'],
        routes: [
          { path: '/', body: 'stream', limitBytes: 2_000_000 },
          { path: '/rights', body: 'stream', rights: ['delete'] },
        ],
        timeouts: { requestSeconds: 2, headersSeconds: 2, drainSeconds: 1 },
      },
    })
  })
  afterAll(() => stand.close())
  beforeEach(() => {
    recorder.forget()
    onData = () => undefined
    answersEarly = false
  })

  const post = (input: Parameters<typeof signedRequest>[0] = {}) =>
    signedRequest({ method: 'POST', body, ...input })
  const withBody = async (changed: Buffer, framing: Framing = 'length') =>
    requestBytes({ ...(await post()), body: changed }, framing)

  it.each(['length', 'chunked'] as const)(
    'framed by %s reaches the upstream whole, with who called',
    async (framing) => {
      const answer = await sendBytes(stand.port, requestBytes(await post(), framing))
      expect([answer.status, stand.outcome()]).toEqual([200, 'ok'])
      const [seen] = recorder.requests
      expect(seen?.body.equals(body)).toBe(true)
      expect(seen?.fields).toContainEqual(['X-Countersign-Key', 'caller-1'])
    },
  )

  it('is on its way before its end has come, less the last 64 KiB', async () => {
    const bytes = requestBytes(await post())
    const head = bytes.length - size
    const arrived = new Promise<void>((resolve) => {
      onData = (total) => total > size - heldBackBytes - 100_000 && resolve()
    })
    const socket = await openSocket(stand.port)
    const answer = readAnswer(socket)
    socket.write(bytes.subarray(0, bytes.length - 1))
    await arrived
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(recorder.requests).toHaveLength(0)
    expect(recorder.bytes).toBeLessThan(head + 1000 + size - heldBackBytes)
    socket.write(bytes.subarray(bytes.length - 1))
    expect((await answer).status).toBe(200)
    expect(recorder.requests[0]?.body.equals(body)).toBe(true)
  })

  it.each(['length', 'chunked'] as const)(
    'framed by %s and changed in its last byte never arrives whole',
    async (framing) => {
      const changed = Buffer.from(body)
      changed[size - 1] = (changed[size - 1] ?? 0) ^ 1
      const connections = recorder.connections
      const answer = await sendBytes(stand.port, await withBody(changed, framing))
      expect([answer.status, stand.outcome()]).toEqual([401, 'digest-mismatch'])
      await recorder.ended(connections)
      expect(recorder.requests).toHaveLength(0)
      expect(recorder.bytes).toBeLessThan(size - heldBackBytes + 2000)
    },
  )

  it('that is no larger than what is held back does not reach the upstream in part', async () => {
    const small = randomBytes(heldBackBytes)
    const request = await post({ body: small })
    const refused = await sendBytes(
      stand.port,
      requestBytes({ ...request, body: randomBytes(heldBackBytes) }),
    )
    expect([refused.status, recorder.bytes]).toEqual([401, 0])
    const accepted = await sendBytes(stand.port, requestBytes(await post({ body: small })))
    expect([accepted.status, recorder.requests[0]?.body.equals(small)]).toEqual([200, true])
  })

  it.each([
    [
      'a wrong MAC',
      { credential: { ...testCredential, secret: 'another secret, of good length' } },
      401,
      'signature-mismatch',
    ],
    ['a right that is lacking', { target: '/rights' }, 403, 'right-missing'],
  ] as const)('with %s does not reach the upstream at all', async (_what, input, status, reason) => {
    const answer = await sendBytes(stand.port, requestBytes(await post(input)))
    expect([answer.status, stand.outcome(), recorder.bytes]).toEqual([status, reason, 0])
  })

  it('sent a second time is cut off', async () => {
    const bytes = requestBytes(await post())
    expect((await sendBytes(stand.port, bytes)).status).toBe(200)
    recorder.forget()
    const again = await sendBytes(stand.port, bytes)
    expect([again.status, stand.outcome(), recorder.requests.length]).toEqual([401, 'replayed', 0])
  })

  it('over the limit is cut off', async () => {
    const large = randomBytes(2_000_001)
    const request = await signedRequest({ method: 'POST', body: large })
    const answer = await sendBytes(stand.port, requestBytes(request, 'chunked'))
    expect([answer.status, stand.outcome(), recorder.requests.length]).toEqual([413, 'body-too-large', 0])
  })

  it('that breaks off is cut off', async () => {
    const bytes = requestBytes(await post())
    const before = stand.verdicts.length
    const connections = recorder.connections
    const arrived = new Promise<void>((resolve) => {
      onData = (total) => total > 100_000 && resolve()
    })
    const socket = await openSocket(stand.port)
    socket.write(bytes.subarray(0, 500_000))
    await arrived
    socket.destroy()
    await recorder.ended(connections)
    while (stand.verdicts.length === before) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(recorder.requests).toHaveLength(0)
    expect(stand.verdicts.at(-1)).toMatchObject({ ok: false, reason: 'message-malformed' })
  })

  it('that stalls is answered 408 and cut off', async () => {
    const connections = recorder.connections
    const answer = await sendBytes(stand.port, requestBytes(await post()).subarray(0, 500_000))
    expect([answer.status, stand.outcome(), recorder.requests.length]).toEqual([408, 'body-slow', 0])
    await recorder.ended(connections)
  })

  it('is judged to its end where the upstream answers early, and only then is the answer passed on', async () => {
    answersEarly = true
    const good = await sendBytes(stand.port, requestBytes(await post()))
    expect([good.status, good.body, stand.outcome()]).toEqual([413, 'early', 'ok'])
    answersEarly = true
    const bad = await sendBytes(stand.port, await withBody(randomBytes(size)))
    expect([bad.status, stand.outcome()]).toEqual([401, 'digest-mismatch'])
  })

  it.each([
    ['breaks off', (socket: Socket) => socket.destroy(), 502, 'upstream-broken'],
    [
      'answers with its last words',
      (socket: Socket) =>
        socket.end('HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly'),
      413,
      'ok',
    ],
  ] as const)('is answered at once where the upstream %s', async (_what, act, status, outcome) => {
    let acted = false
    onData = (total, socket) => {
      if (acted || total < 200_000) return
      acted = true
      act(socket)
    }
    const startedAt = performance.now()
    const answer = await sendBytes(stand.port, requestBytes(await post()))
    expect([answer.status, stand.outcome(), acted]).toEqual([status, outcome, true])
    if (status === 413) expect(answer.body).toBe('early')
    expect(performance.now() - startedAt).toBeLessThan(1500)
  })

  it('is answered at once where nobody listens', async () => {
    const down = await startStand({
      config: {
        upstream: 'http://127.0.0.1:1',
        routes: [{ path: '/', body: 'stream' }],
        timeouts: { requestSeconds: 4, headersSeconds: 2, drainSeconds: 1 },
      },
    })
    const startedAt = performance.now()
    const answer = await sendBytes(down.port, requestBytes(await post()))
    expect([answer.status, down.outcome()]).toEqual([502, 'upstream-unreachable'])
    expect(performance.now() - startedAt).toBeLessThan(1500)
    await down.close()
  })

  it('of a scheme that MACs the whole body is spooled', async () => {
    const { createSigner, requestMessage, ustudioHmac } = await import('countersign')
    const small = randomBytes(200_000)
    const signer = createSigner({ scheme: ustudioHmac(), credential: testCredential })
    const message = requestMessage({ method: 'POST', url: 'http://api.example.test/u', body: small })
    const { set } = await signer.sign(message)
    const request = {
      method: 'POST',
      target: '/u',
      fields: [['Host', 'api.example.test'], ...set] as const,
      body: small,
    }
    const answer = await sendBytes(stand.port, requestBytes(request, 'chunked'))
    expect([answer.status, stand.outcome(), recorder.requests[0]?.body.equals(small)]).toEqual([
      200,
      'ok',
      true,
    ])
    recorder.forget()
    const changed = await sendBytes(stand.port, requestBytes({ ...request, body: randomBytes(200_000) }))
    expect([changed.status, recorder.bytes]).toEqual([401, 0])
  })

  it('in chunks of one byte costs no buffer for each', async () => {
    const small = randomBytes(100_000)
    const request = await post({ body: small })
    const head = requestBytes({ ...request, body: Buffer.alloc(0) }, 'chunked')
      .toString('latin1')
      .replace('0\r\n\r\n', '')
    const answer = await sendBytes(stand.port, head, chunked(small, 1))
    expect([answer.status, recorder.requests[0]?.body.equals(small)]).toEqual([200, true])
  })

  it('names the caller of each request where many are under way at once', async () => {
    const callers = ['caller-1', 'caller-2', 'caller-1', 'caller-2', 'caller-2', 'caller-1']
    const requests = await Promise.all(
      callers.map((id, i) => post({ target: `/${id}/${i}`, credential: { ...testCredential, id } })),
    )
    const answers = await Promise.all(requests.map((one) => sendBytes(stand.port, requestBytes(one))))
    expect(answers.map(({ status }) => status)).toEqual(callers.map(() => 200))
    expect(recorder.requests).toHaveLength(callers.length)
    for (const { target, fields } of recorder.requests) {
      expect(fields).toContainEqual(['X-Countersign-Key', target.split('/')[1]])
    }
  })
})
