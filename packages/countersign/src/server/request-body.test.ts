import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import type { BodyProblem } from '../message/body.ts'
import { drain, RequestBody } from './request-body.ts'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function open(listener: RequestListener): Promise<Socket> {
  server = createServer(listener)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
}

/** One turn of the event loop, in which a packet that was written arrives. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const readers: Readonly<Record<string, (req: IncomingMessage) => Promise<Buffer>>> = {
  "'data' and 'end'": (req) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => resolve(Buffer.concat(chunks)))
      req.on('error', reject)
    }),
  pipe: (req) => buffer(req.pipe(new PassThrough())),
  'for await': async (req) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    return Buffer.concat(chunks)
  },
}

const gather = readers['for await'] ?? (() => Promise.reject(new Error('no such reader')))

/** Sends a request and gives what the listener makes of it. */
async function served<T>(
  wire: string,
  listener: (req: IncomingMessage) => Promise<T>,
  send = async (socket: Socket): Promise<void> => {
    socket.write(wire)
  },
): Promise<T> {
  return new Promise((resolve, reject) => {
    open((req, res) => {
      listener(req)
        .finally(() => res.end())
        .then(resolve, reject)
    }).then(send, reject)
  })
}

const tooLarge: BodyProblem = { kind: 'body-problem', problem: 'too-large' }
const request = (fields: string, body: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`
const wires: Readonly<Record<string, readonly [wire: string, body: string]>> = {
  'of known length': [request('Content-Length: 11', 'hello world'), 'hello world'],
  'in chunks': [
    request('Transfer-Encoding: chunked', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'),
    'hello world',
  ],
  'in no chunk at all': [request('Transfer-Encoding: chunked', '0\r\n\r\n'), ''],
}

describe('RequestBody', () => {
  for (const [how, [wire, body]] of Object.entries(wires)) {
    for (const [reader, read] of Object.entries(readers)) {
      it(`leaves a body ${how} to a reader by ${reader}, wherever the packets are cut`, async () => {
        const seen: string[] = []
        const socket = await open(async (req, res) => {
          const bytes = await new RequestBody({
            stream: req,
            declaredBytes: undefined,
            timeoutMs: 5000,
          }).bytes(1000)
          const first = bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : bytes.problem
          seen.push(first, (await read(req)).toString())
          res.end()
        })
        socket.setNoDelay(true)
        for (let cut = 1; cut <= wire.length; cut++) {
          seen.length = 0
          const answered = new Promise((resolve) => socket.once('data', resolve))
          socket.write(wire.slice(0, cut))
          if (cut < wire.length) {
            await turn()
            await turn()
            socket.write(wire.slice(cut))
          }
          await answered
          expect(seen).toEqual([body, body])
        }
      })
    }
  }

  it('leaves a body intact that had wholly arrived before anyone asked', async () => {
    for (const [wire, body] of Object.values(wires)) {
      const seen = await served(wire, async (req) => {
        while (!req.complete) await turn()
        const bytes = new RequestBody({ stream: req, declaredBytes: undefined, timeoutMs: 5000 }).bytes(1000)
        return [bytes instanceof Uint8Array && Buffer.from(bytes).toString(), (await gather(req)).toString()]
      })
      expect(seen).toEqual([body, body])
    }
  })

  it('gives the same bytes to everyone who asks, at once and later', async () => {
    const [first, second, third, small, touched] = await served(
      request('Content-Length: 5', 'hello'),
      async (req) => {
        const body = new RequestBody({ stream: req, declaredBytes: 5, timeoutMs: 5000 })
        const both = await Promise.all([body.bytes(5), body.bytes(5)])
        return [...both, body.bytes(5), body.bytes(4), body.touched]
      },
    )
    expect(first).toEqual(Buffer.from('hello'))
    expect(second).toBe(first)
    expect(third).toBe(first)
    expect(small).toEqual(tooLarge)
    expect(touched).toBe(true)
  })

  it('refuses a declared length over the limit without reading', async () => {
    const seen = await served(request('Content-Length: 5', 'hello'), async (req) => {
      const body = new RequestBody({ stream: req, declaredBytes: 5, timeoutMs: 5000 })
      return [body.bytes(4), body.touched, (await gather(req)).toString()]
    })
    expect(seen).toEqual([tooLarge, false, 'hello'])
  })

  it('stops over the limit and puts back what it has read', async () => {
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
    const wire = request('Transfer-Encoding: chunked', `${chunk.repeat(100)}0\r\n\r\n`)
    const seen = await served(wire, async (req) => {
      const found = await new RequestBody({ stream: req, declaredBytes: undefined, timeoutMs: 5000 }).bytes(
        100_000,
      )
      return [found, req.readableLength < 100_000 + 2 * 65_536, (await gather(req)).length]
    })
    expect(seen).toEqual([tooLarge, true, 409_600])
  })

  it('reports a body that its sender gives up, before and after anyone asked', async () => {
    for (const isEarly of [true, false]) {
      const problem = await new Promise<unknown>((resolve, reject) => {
        open(async (req) => {
          const closed = new Promise((done) => req.once('close', done))
          if (!isEarly) {
            socket.destroy()
            await closed
          }
          const found = new RequestBody({ stream: req, declaredBytes: 5, timeoutMs: 5000 }).bytes(10)
          if (isEarly) socket.destroy()
          Promise.resolve(found).then(resolve, reject)
        }).then((opened) => {
          socket = opened
          socket.write(request('Content-Length: 5', 'he'))
        }, reject)
        let socket: Socket
      })
      expect(problem).toEqual({ kind: 'body-problem', problem: 'incomplete' })
    }
  })

  it('gives up on a body that does not come in time, and leaves no listener behind', async () => {
    const seen = await served(request('Content-Length: 5', 'he'), async (req) => {
      const before = req.eventNames().length
      const found = await new RequestBody({ stream: req, declaredBytes: 5, timeoutMs: 20 }).bytes(10)
      return [found, req.eventNames().length - before, req.readableLength]
    })
    expect(seen).toEqual([{ kind: 'body-problem', problem: 'incomplete' }, 0, 2])
  })

  it('throws where somebody else has read the body', async () => {
    const seen = await served(request('Content-Length: 5', 'hello'), async (req) => {
      const body = new RequestBody({ stream: req, declaredBytes: 5, timeoutMs: 5000 })
      await gather(req)
      try {
        return [body.bytes(10)]
      } catch (error) {
        return [error]
      }
    })
    expect(seen).toEqual([expect.objectContaining({ code: 'body-already-read' })])
  })

  it('holds single bytes, each from a packet of its own, without holding the packets', async () => {
    const seen = await served(
      '',
      async (req) => {
        const bytes = await new RequestBody({ stream: req, declaredBytes: undefined, timeoutMs: 5000 }).bytes(
          300,
        )
        return bytes instanceof Uint8Array
          ? [Buffer.from(bytes).toString(), bytes.buffer.byteLength <= 300, (await gather(req)).toString()]
          : [bytes]
      },
      async (socket) => {
        socket.write(request('Transfer-Encoding: chunked', ''))
        for (let i = 0; i < 200; i++) {
          socket.write(`1\r\n${i % 10}\r\n`)
          await turn()
        }
        socket.write('0\r\n\r\n')
      },
    )
    const text = '0123456789'.repeat(20)
    expect(seen).toEqual([text, true, text])
  })
})

describe('drain', () => {
  it('drops the rest of a body and ends with it', async () => {
    const seen = await served(request('Content-Length: 5', 'hello'), async (req) => {
      await drain(req, 100, 5000)
      return [req.complete, req.readableLength]
    })
    expect(seen).toEqual([true, 0])
  })

  it('ends once it has dropped more than its limit', async () => {
    const seen = await served(request('Content-Length: 900000', 'x'.repeat(400_000)), async (req) => {
      await drain(req, 65_536, 5000)
      return [req.complete, req.isPaused()]
    })
    expect(seen).toEqual([false, true])
  })

  it('ends in time for a sender that stops, and with one that goes away', async () => {
    const slow = await served(request('Content-Length: 5', 'he'), async (req) => {
      await drain(req, 100, 20)
      return [req.complete, req.eventNames().includes('data')]
    })
    expect(slow).toEqual([false, false])
    const gone = await served(request('Content-Length: 5', 'he'), async (req) => {
      const drained = drain(req, 100, 60_000)
      req.socket.destroy()
      await drained
      await drain(req, 100, 60_000)
      return [req.destroyed]
    })
    expect(gone).toEqual([true])
  })
})
