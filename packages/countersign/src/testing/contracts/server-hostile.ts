import { fieldValue } from '../../message/field-lines.ts'
import { rfc9421 } from '../../schemes/rfc9421/rfc9421.ts'
import { ustudioHmac } from '../../schemes/ustudio-hmac.ts'
import { must } from './contract-case.ts'
import { caller, host, mustPass, mustRefuse, type TrialBehaviour } from './server-trial.ts'
import { latin1, requestBytes } from './server-wire.ts'

const noise = (lines: number): readonly string[] =>
  Array.from({ length: 2 * lines }, (_, i) => (i % 2 ? '1' : `a${i}`))
const get = (fields: readonly string[], target = '/signed'): Uint8Array =>
  requestBytes({ method: 'GET', target, fields })

/** What a server door must do with input that means harm. */
export const hostileBehaviours: readonly TrialBehaviour[] = [
  [
    'refuses two Host lines, even the same twice',
    async ({ send, sign, reached }) => {
      const fields = await sign({ target: '/signed' })
      mustRefuse(await send(get([...fields, 'Host', 'evil.test'])), 400, 'message-malformed')
      mustRefuse(await send(get([...fields, 'hOST', host])), 400, 'message-malformed')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses a request without Host',
    async ({ send, sign, reached }) => {
      const fields = (await sign({ target: '/signed' })).slice(2)
      must((await send(get(fields))).status === 400, 'HTTP/1.1 needs Host')
      const old = new TextDecoder('latin1').decode(get(fields)).replace('HTTP/1.1', 'HTTP/1.0')
      must((await send(old)).status === 400, 'a signed HTTP/1.0 request needs Host too')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses a Host that is more than host and port',
    async ({ send, sign, reached }) => {
      const fields = (await sign({ target: '/signed' })).slice(2)
      for (const value of [`user@${host}`, `${host}, evil`, `${host}/x`, `${host}?x`, `${host}:0443`, '']) {
        must(
          (await send(get(['Host', value, ...fields]))).status === 400,
          `the status is 400 for Host ${value}`,
        )
      }
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses two Authorization lines, one of them right, in either order',
    async ({ send, sign, reached }) => {
      const fields = await sign({ target: '/signed', scheme: ustudioHmac() })
      const right = fields.slice(-2)
      const wrong = ['Authorization', `USTUDIO-HMAC-V2 caller ${'0'.repeat(64)}`]
      for (const pair of [
        [...wrong, ...right],
        [...right, ...wrong],
        [...right, ...right],
      ]) {
        mustRefuse(await send(get([...fields.slice(0, -2), ...pair])), 401, 'signature-malformed')
      }
      must(reached.length === 0, 'the handler did not run')
      mustPass(await send(get(fields)))
    },
  ],
  [
    'refuses an absolute target for another authority or scheme',
    async ({ send, sign, reached }) => {
      const fields = await sign({ target: '/signed' })
      for (const origin of ['http://evil.test', `https://${host}`, `http://x@${host}`, `http://${host}:81`]) {
        mustRefuse(await send(get(fields, `${origin}/signed`)), 400, 'message-malformed')
      }
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'takes the authority from Host, never from a target that begins with two slashes',
    async ({ send, signed, sign, reached }) => {
      mustPass(await send(await signed({ target: '//evil.test/signed' })))
      mustPass(await send(await signed({ target: '///evil.test' })))
      const fields = await sign({ target: '/signed' })
      mustRefuse(await send(get(fields, '//evil.test/signed')), 401, 'signature-refused')
      must(reached.length === 2, 'the handler ran twice')
    },
  ],
  [
    'refuses a target with a backslash or a fragment',
    async ({ send, sign, reached }) => {
      const fields = await sign({ target: '/signed' })
      for (const target of ['/\\evil.test', '/signed\\', '/signed#x', '/signed?a#b']) {
        must((await send(get(fields, target))).status === 400, `the status is 400 for ${target}`)
      }
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses a target over 8 KiB',
    async ({ send, signed, reached }) => {
      mustPass(await send(await signed({ target: `/signed?${'a'.repeat(8184)}` })))
      mustRefuse(
        await send(await signed({ target: `/signed?${'a'.repeat(8185)}` })),
        400,
        'message-malformed',
      )
      must(reached.length === 1, 'the handler ran once')
    },
  ],
  [
    'judges fields named __proto__ and constructor like any other',
    async ({ send, signed, sign, reached }) => {
      const own = ['__proto__', 'polluted', 'constructor', 'x', '__PROTO__', '{"polluted":true}']
      mustPass(await send(await signed({ target: '/signed', fields: own })))
      const scheme = rfc9421({ covers: ['@method', '@target-uri', 'constructor', 'tostring'] })
      const fields = await sign({ target: '/signed', fields: ['constructor', 'x', 'tostring', 'y'], scheme })
      const without = fields.filter((part) => part !== 'tostring' && part !== 'y')
      mustRefuse(await send(get(without)), 401, 'component-missing')
      mustPass(await send(get(fields)))
      must(!('polluted' in {}) && reached.length === 2, 'nothing was polluted')
    },
  ],
  [
    'takes header bytes above 0x7f where they are not covered, and refuses them where they are',
    async ({ send, sign, reached }) => {
      const fields = await sign({ target: '/signed' })
      mustPass(await send(get([...fields, 'X-Note', 'caf\u00e9 \u00ff'])))
      const scheme = rfc9421({ covers: ['@method', '@target-uri', 'x-note'] })
      const ascii = await sign({ target: '/signed', fields: ['X-Note', 'cafe'], scheme })
      const changed = ascii.map((part) => (part === 'cafe' ? 'caf\u00e9' : part))
      const response = await send(get(changed))
      must(response.status === 401, 'the status is 401')
      must(reached.length === 1, 'the handler ran once')
    },
  ],
  [
    'refuses bytes above 0x7f in credentials',
    async ({ send, sign, reached }) => {
      for (const scheme of [rfc9421(), ustudioHmac()]) {
        const fields = await sign({ target: '/signed', scheme })
        for (let i = 3; i < fields.length; i += 2) {
          const changed = fields.with(i, `${fields[i]?.slice(0, -3)}\u00e9${fields[i]?.slice(-2)}`)
          must((await send(get(changed))).status === 401, 'the status is 401')
        }
      }
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses a key id of 10 KiB',
    async ({ send, signed, sign, reached }) => {
      const id = 'k'.repeat(10_240)
      const fields = await sign({ target: '/signed' })
      const long = fields.map((part) => part.replace('keyid="caller"', `keyid="${id}"`))
      must(long.join() !== fields.join() && (await send(get(long))).status === 401, 'the status is 401')
      const authorization = ['Host', host, 'Authorization', `USTUDIO-HMAC-V2 ${id} ${'0'.repeat(64)}`]
      must((await send(get(authorization))).status === 401, 'the status is 401')
      must(reached.length === 0, 'the handler did not run')
      mustPass(await send(await signed({ target: '/signed' })))
    },
  ],
  [
    'refuses more header lines than it counts to, however many the server lets through',
    async ({ send, sign, reached }) => {
      const fields = await sign({ target: '/signed' })
      const own = fields.length / 2
      mustPass(await send(get([...fields.slice(0, 2), ...noise(128 - own), ...fields.slice(2)])))
      const again = await sign({ target: '/signed' })
      for (const lines of [129, 512, 1010, 1024, 1500]) {
        const status = (await send(get([...again.slice(0, 2), ...noise(lines - own), ...again.slice(2)])))
          .status
        must(status === 400 || status === 431, `${lines} lines are refused, not answered ${status}`)
      }
      must(reached.length === 1, 'the handler ran once')
    },
  ],
  [
    'judges each of several requests in one packet by itself',
    async ({ open, signed, reached }) => {
      const forged = await signed({
        target: '/signed',
        credential: { ...caller, secret: 'not the secret of the caller' },
      })
      const client = await open()
      const three = [await signed({ target: '/signed' }), forged, await signed({ target: '/signed' })]
      client.write(Uint8Array.from(three.flatMap((bytes) => [...bytes])))
      mustPass(await client.next())
      mustRefuse(await client.next(), 401, 'signature-refused')
      mustPass(await client.next())
      must(reached.length === 2, 'the handler ran twice')
    },
  ],
  [
    'believes no forwarded field of a peer that it was not told to trust',
    async ({ send, sign }) => {
      const fields = await sign({ target: '/signed' })
      const forwarded = [
        'X-Forwarded-Host',
        'evil.test',
        'X-Forwarded-Proto',
        'https',
        'Forwarded',
        'host=evil.test',
      ]
      mustPass(await send(get([...fields, ...forwarded])))
    },
  ],
  [
    'refuses framing with more than one reading',
    async ({ send, sign, reached }) => {
      const fields = await sign({ method: 'POST', target: '/raw', body: 'abc' })
      const framings = [
        ['Content-Length', '3', 'Transfer-Encoding', 'chunked'],
        ['Content-Length', '3', 'Content-Length', '3'],
        ['Content-Length', '+3'],
        ['Content-Length', '3, 3'],
        ['Transfer-Encoding', 'xchunked'],
        ['Transfer-Encoding', 'identity'],
      ]
      for (const framing of framings) {
        const body = latin1('3\r\nabc\r\n0\r\n\r\n')
        const bytes = requestBytes({ method: 'POST', target: '/raw', fields: [...fields, ...framing], body })
        must((await send(bytes)).status === 400, `the status is 400 for ${framing.join(' ')}`)
      }
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'lets nobody past by asking for an upgrade',
    async ({ send, reached }) => {
      for (const protocol of ['websocket', 'h2c']) {
        const response = await send(
          `GET /signed HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
        )
        must(response.status === 401 || response.status === 405, 'the upgrade is refused')
      }
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'serves many requests on one connection, refused ones among them',
    async ({ open, signed, reached }) => {
      const client = await open()
      for (let i = 0; i < 40; i++) {
        client.write(
          await signed({
            method: 'POST',
            target: '/json',
            fields: ['Content-Type', 'application/json'],
            body: `[${i}]`,
          }),
        )
        mustPass(await client.next(), { body: [i] })
        client.write(get(['Host', host]))
        const refused = await client.next()
        mustRefuse(refused, 401, 'signature-absent')
        must(fieldValue(refused?.fields ?? [], 'connection') !== 'close', 'the connection stays open')
      }
      must(reached.length === 40, 'the handler ran for each')
    },
  ],
]
