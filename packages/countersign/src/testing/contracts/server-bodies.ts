import { concatBytes } from '../../bytes/concat.ts'
import { utf8Encode } from '../../bytes/utf8.ts'
import { fieldValue } from '../../message/field-lines.ts'
import { rfc9421 } from '../../schemes/rfc9421/rfc9421.ts'
import { must } from './contract-case.ts'
import { fingerprint, host, mustPass, mustRefuse, type TrialBehaviour } from './server-trial.ts'
import { latin1, pause, requestBytes } from './server-wire.ts'

const json = ['Content-Type', 'application/json'] as const
const bytes = ['Content-Type', 'application/octet-stream'] as const
const chunked = ['Transfer-Encoding', 'chunked'] as const
const limitBytes = 1_048_576

/** What a server door must do with content. */
export const bodyBehaviours: readonly TrialBehaviour[] = [
  [
    'leaves a JSON body to the parser behind the guard',
    async ({ send, signed }) => {
      const body = '{ "name": "Zoë \\u2603", "list": [1, 2.50, null] }\n'
      const request = { method: 'POST', target: '/json', fields: json, body }
      mustPass(await send(await signed(request)), { body: { name: 'Zoë ☃', list: [1, 2.5, null] } })
    },
  ],
  [
    'leaves a form to the parser behind the guard',
    async ({ send, signed }) => {
      const fields = ['Content-Type', 'application/x-www-form-urlencoded']
      const request = { method: 'POST', target: '/form', fields, body: 'a=1+2&b=%C3%A9&c=' }
      mustPass(await send(await signed(request)), { body: { a: '1 2', b: 'é', c: '' } })
    },
  ],
  [
    'leaves every byte of a body to the parser behind the guard, up to the limit',
    async ({ open, signed }) => {
      const client = await open()
      for (const length of [1, 16_384, 65_536, 65_537, limitBytes]) {
        const body = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255)
        client.write(await signed({ method: 'PUT', target: '/raw', fields: bytes, body }))
        mustPass(await client.next(), { body: fingerprint(body) })
      }
    },
  ],
  [
    'serves the next request where no handler reads the body',
    async ({ open, signed }) => {
      const client = await open()
      for (const length of [10, 200_000, 10]) {
        client.write(
          await signed({ method: 'POST', target: '/signed', fields: bytes, body: new Uint8Array(length) }),
        )
        mustPass(await client.next())
      }
    },
  ],
  [
    'reads a body in chunks whose last one comes later',
    async ({ open, sign }) => {
      const fields = [
        ...(await sign({ method: 'POST', target: '/json', fields: json, body: '[1,2]' })),
        ...chunked,
      ]
      const client = await open()
      client.write(requestBytes({ method: 'POST', target: '/json', fields }))
      for (const part of ['2\r\n[1\r\n', '3;x=y\r\n,2]\r\n', '0', '\r\n', '\r\n']) {
        await pause()
        client.write(part)
      }
      mustPass(await client.next(), { body: [1, 2] })
    },
  ],
  [
    'reads a body in chunks that is empty, at once or later',
    async ({ open, sign }) => {
      const client = await open()
      const scheme = rfc9421({ covers: ['@method', '@target-uri', 'content-digest'] })
      for (const isLater of [false, true]) {
        const request = { method: 'POST', target: '/raw', fields: bytes, scheme, body: '' }
        const head = requestBytes({
          ...request,
          fields: [...(await sign(request)), ...chunked],
          body: undefined,
        })
        client.write(isLater ? head : Uint8Array.of(...head, ...latin1('0\r\n\r\n')))
        if (isLater) {
          await pause()
          client.write('0\r\n\r\n')
        }
        mustPass(await client.next(), { body: fingerprint(latin1('')) })
      }
    },
  ],
  [
    'counts a Content-Length of 0 as no content, whatever follows',
    async ({ open, signed, sign }) => {
      const fields = [...(await sign({ method: 'POST', target: '/signed' })), 'Content-Length', '0']
      const client = await open()
      client.write(requestBytes({ method: 'POST', target: '/signed', fields }))
      client.write(await signed({ target: '/signed' }))
      mustPass(await client.next())
      mustPass(await client.next())
    },
  ],
  [
    'verifies the content of a GET request',
    async ({ open, signed, sign }) => {
      const client = await open()
      client.write(await signed({ method: 'GET', target: '/signed', body: 'content' }))
      mustPass(await client.next())
      const fields = await sign({ method: 'GET', target: '/signed', body: 'content' })
      client.write(requestBytes({ method: 'GET', target: '/signed', fields, body: utf8Encode('CONTENT') }))
      mustRefuse(await client.next(), 401, 'digest-mismatch')
    },
  ],
  [
    'goes by the bytes, whatever the Content-Type says',
    async ({ send, signed }) => {
      const content = { method: 'POST', target: '/signed', body: '{"a":1,}' }
      for (const type of [
        'multipart/form-data; boundary=x',
        'text/plain',
        'application/json',
        'nonsense',
        '',
      ]) {
        const response = await send(await signed({ ...content, fields: ['Content-Type', type] }))
        // A framework may refuse a type that it cannot read, behind the guard.
        if (type.includes('/') || response.status !== 415) mustPass(response)
      }
      mustPass(await send(await signed(content)))
    },
  ],
  [
    'refuses a body that is not the one signed',
    async ({ send, sign, reached }) => {
      const request = { method: 'POST', target: '/json', body: utf8Encode('{"to":"alice"}') }
      const fields = await sign({ ...request, fields: json })
      const changed = requestBytes({ ...request, fields, body: utf8Encode('{"to":"mallo"}') })
      mustRefuse(await send(changed), 401, 'digest-mismatch')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses a body over the limit, of known length or in chunks, and closes',
    async ({ open, sign, reached }) => {
      const body = new Uint8Array(limitBytes + 1)
      const signature = await sign({ method: 'POST', target: '/raw', fields: bytes, body })
      const head = (fields: readonly string[]): Uint8Array =>
        requestBytes({ method: 'POST', target: '/raw', fields: [...signature, ...fields] })

      const declaring = await open()
      declaring.write(head(['Content-Length', '10737418240']))
      mustRefuse(await declaring.next(), 413, 'body-too-large')
      declaring.write(new Uint8Array(131_072))
      await declaring.closed()
      const streaming = await open()
      streaming.write(head(chunked))
      const answer = streaming.next()
      for (let sent = 0; sent < 20; sent++) {
        streaming.write(`10000\r\n${'x'.repeat(0x10000)}\r\n`)
        await pause()
      }
      mustRefuse(await answer, 413, 'body-too-large')
      await streaming.closed()
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses by the header fields alone, before the body is there, and closes',
    async ({ open, reached }) => {
      const client = await open()
      client.write(`POST /raw HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000000\r\n\r\n`)
      const response = await client.next()
      mustRefuse(response, 401, 'signature-absent')
      must(fieldValue(response?.fields ?? [], 'connection') === 'close', 'the answer says that it closes')
      const closed = client.closed()
      const first = await Promise.race([closed.then(() => 'closed'), pause().then(() => 'open')])
      must(first === 'open', 'a client that still sends gets to read the answer')
      for (let sent = 0; sent < 20; sent++) client.write(new Uint8Array(65_536))
      await closed
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'keeps the connection where what it refused is short',
    async ({ open, signed }) => {
      const client = await open()
      client.write(`POST /json HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 10\r\n\r\n`)
      mustRefuse(await client.next(), 401, 'signature-absent')
      client.write('0123456789')
      client.write(await signed({ target: '/signed' }))
      mustPass(await client.next())
    },
  ],
  [
    'refuses a body that does not come in time',
    async ({ open, sign, reached }) => {
      const fields = [
        ...(await sign({ method: 'POST', target: '/slow', fields: bytes, body: 'slow' })),
        'Content-Length',
        '4',
      ]
      const client = await open()
      client.write(requestBytes({ method: 'POST', target: '/slow', fields, body: utf8Encode('sl') }))
      mustRefuse(await client.next(), 400, 'message-malformed')
      client.write('ow')
      await client.closed()
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'spends no nonce on a client that goes away in the middle of its body',
    async ({ open, send, signed, reached }) => {
      const request = await signed({ method: 'POST', target: '/raw', fields: bytes, body: 'a body' })
      const client = await open()
      client.write(request.subarray(0, -3))
      await pause()
      client.destroy()
      await pause()
      must(reached.length === 0, 'the handler did not run')
      mustPass(await send(request), { body: fingerprint(utf8Encode('a body')) })
    },
  ],
  [
    'fails with 500 where a parser has read the body, and verifies nothing parsed',
    async ({ send, signed, reached }) => {
      const request = { method: 'POST', target: '/late', fields: json, body: '{"a":1}' }
      must((await send(await signed(request))).status === 500, 'the status is 500')
      must(reached.length === 0, 'the handler did not run')
      mustPass(await send(await signed({ target: '/late' })))
    },
  ],
  [
    'hands a body on whole in the mode observe, also where it is over the limit',
    async ({ send, signed, sign }) => {
      const body = Uint8Array.from({ length: limitBytes + 5 }, (_, i) => i & 255)
      const request = { method: 'POST', target: '/observe', fields: bytes, body }
      mustPass(await send(await signed(request)), { caller: null, body: fingerprint(body) })
      const fields = [...(await sign(request)), ...chunked]
      const content = concatBytes([latin1(`${body.length.toString(16)}\r\n`), body, latin1('\r\n0\r\n\r\n')])
      mustPass(await send(requestBytes({ ...request, fields, body: content })), {
        caller: null,
        body: fingerprint(body),
      })
    },
  ],
  [
    'takes no trailer for a header field',
    async ({ send, sign, reached }) => {
      const fields = await sign({ method: 'POST', target: '/raw', fields: bytes, body: 'abc' })
      const own = ['Host', host, ...bytes, ...chunked]
      const trailers = fields.slice(own.length - 2)
      const lines = trailers.map((part, i) => (i % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('')
      const body = latin1(`3\r\nabc\r\n0\r\n${lines}\r\n`)
      mustRefuse(
        await send(requestBytes({ method: 'POST', target: '/raw', fields: own, body })),
        401,
        'signature-absent',
      )
      must(reached.length === 0, 'the handler did not run')
      const harmless = latin1('3\r\nabc\r\n0\r\nAuthorization: x\r\nContent-Digest: x\r\nHost: evil\r\n\r\n')
      const whole = requestBytes({
        method: 'POST',
        target: '/raw',
        fields: [...fields, ...chunked],
        body: harmless,
      })
      mustPass(await send(whole), { body: fingerprint(latin1('abc')) })
    },
  ],
  [
    'answers whoever waits for 100 Continue',
    async ({ input, open, sign, reached }) => {
      const expecting = ['Expect', '100-continue', 'Content-Length', '3']
      const fields = await sign({ method: 'POST', target: '/raw', fields: bytes, body: 'abc' })
      const good = await open()
      good.write(requestBytes({ method: 'POST', target: '/raw', fields: [...fields, ...expecting] }))
      must((await good.next())?.status === 100, 'the body is asked for')
      good.write('abc')
      mustPass(await good.next(), { body: fingerprint(latin1('abc')) })
      const bad = await open()
      bad.write(
        requestBytes({ method: 'POST', target: '/raw', fields: ['Host', host, ...bytes, ...expecting] }),
      )
      const first = await bad.next()
      if (input.holdsContinue) must(first?.status === 401, 'the body is not asked for')
      mustRefuse(first?.status === 100 ? await bad.next() : first, 401, 'signature-absent')
      must(reached.length === 1, 'the handler ran once')
    },
  ],
]
