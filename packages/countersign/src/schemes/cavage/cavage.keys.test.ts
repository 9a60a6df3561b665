import { createHmac, generateKeyPairSync, sign as nodeSign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, requestMessage, wireRequest } from '../../message/message.ts'
import type { Policy } from '../../policy/policy.ts'
import type { NonceStore } from '../../replay/nonce-store.ts'
import { memoryNonces } from '../../stores/memory.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { cavage } from './cavage.ts'
import type { CavageOptions } from './options.ts'

const now = 1_700_000_000
const date = 'Tue, 14 Nov 2023 22:13:20 GMT'
const secret = 'correct horse battery'
const credential: Credential = { id: 'k1', secret }

interface Given {
  readonly target?: string
  /** Besides Host and Date. */
  readonly fields?: readonly string[]
  readonly date?: string
  /** Names and values of the signing string. Default: target, host and date. */
  readonly lines?: readonly (readonly [string, string])[]
  /** Parameters in front of the list and the signature. */
  readonly parameters?: string
  readonly list?: string
  readonly hash?: string
}

/** Signs without the library, whatever is asked for. */
function signed(given: Given = {}): RequestMessage {
  const { target = '/orders?a=1', fields = [], hash = 'sha256' } = given
  const lines = given.lines ?? [
    ['(request-target)', `get ${target}`],
    ['host', 'api.example.com'],
    ['date', given.date ?? date],
  ]
  const text = lines.map(([name, value]) => `${name}: ${value}`).join('\n')
  const signature = createHmac(hash, secret).update(text).digest('base64')
  const list = given.list ?? `headers="${lines.map(([name]) => name).join(' ')}",`
  const parameters = given.parameters ?? 'keyId="k1",algorithm="hmac-sha256",'
  const authorization = `Signature ${parameters}${list}signature="${signature}"`
  return requestMessage({
    url: target,
    headers: [
      'Host',
      'api.example.com',
      'Date',
      given.date ?? date,
      ...fields,
      'Authorization',
      authorization,
    ],
  })
}

interface Circumstances {
  readonly credential?: Credential
  readonly policy?: Policy
  readonly now?: number
  readonly nonces?: NonceStore
}

function judged(message: RequestMessage, options: CavageOptions = {}, given: Circumstances = {}): Verdict {
  const known = given.credential ?? credential
  return createVerifier({
    schemes: [cavage(options)],
    credentials: (keyId) => (keyId === known.id ? known : undefined),
    clock: () => given.now ?? now,
    ...(given.policy === undefined ? {} : { policy: given.policy }),
    ...(given.nonces === undefined ? {} : { nonces: given.nonces }),
  }).verifySync(message)
}

const reasonOf = (verdict: Verdict): string => (verdict.ok ? 'ok' : verdict.reason)
const withFields = (
  message: RequestMessage,
  change: (fields: string[]) => readonly string[],
): RequestMessage => wireRequest({ ...message, fields: change([...message.fields]) })

describe('cavage keeps time', () => {
  const created = (value: string, more: Given = {}): RequestMessage =>
    signed({
      parameters: `keyId="k1",algorithm="hs2019",created=${value},`,
      lines: [
        ['(request-target)', 'get /orders?a=1'],
        ['host', 'api.example.com'],
        ['(created)', value],
      ],
      ...more,
    })
  const expiring = (value: string): RequestMessage =>
    signed({
      parameters: `keyId="k1",algorithm="hs2019",created=${now},expires=${value},`,
      lines: [
        ['(request-target)', 'get /orders?a=1'],
        ['host', 'api.example.com'],
        ['(created)', `${now}`],
        ['(expires)', value],
      ],
    })

  it('TI-01 TI-02 TI-03 by Date and by (created), both ends inclusive', () => {
    for (const message of [signed(), created(`${now}`)]) {
      for (const [at, reason] of [
        [now + 300, 'ok'],
        [now + 301, 'created-stale'],
        [now - 30, 'ok'],
        [now - 31, 'created-in-future'],
      ] as const) {
        expect(reasonOf(judged(message, {}, { now: at }))).toBe(reason)
      }
    }
  })

  it('TI-04 TI-05 TI-06 TI-07 TI-08 refusing what is no time', () => {
    for (const value of [
      '0x10',
      '1_0',
      '+5',
      '-1',
      '1.5',
      '01700000000',
      '1700000000000',
      '1e9',
      'NaN',
      '"1700000000"',
      '?1',
      '',
    ]) {
      expect(reasonOf(judged(created(value))), value).toBe('signature-malformed')
    }
    expect(reasonOf(judged(created('0')))).toBe('created-stale')
    for (const text of [
      'garbage',
      '1',
      '(c) 21 Nov 2026',
      'Tuesday, 14-Nov-23 22:13:20 GMT',
      'Tue Nov 14 22:13:20 2023',
      'Tue, 14 Nov 2023 22:13:20 +0000',
      'Wed, 14 Nov 2023 22:13:20 GMT',
      '',
    ]) {
      expect(reasonOf(judged(signed({ date: text }))), text).toBe('signature-malformed')
    }
  })

  it('TI-09 TI-10 by what is signed only', () => {
    const stale = signed({ date: 'Thu, 01 Jan 1970 00:00:00 GMT', fields: ['X-Date', date] })
    expect(reasonOf(judged(stale))).toBe('created-stale')
    const unsigned = signed({
      lines: [
        ['(request-target)', 'get /orders?a=1'],
        ['host', 'api.example.com'],
      ],
      parameters: `keyId="k1",created=${now},`,
    })
    expect(reasonOf(judged(unsigned))).toBe('created-missing')
    expect(reasonOf(judged(created(`${now}`, { date: 'garbage' })))).toBe('ok')
  })

  it('refuses a Date and a (created) that do not agree', () => {
    const both = (text: string): RequestMessage =>
      created(`${now}`, {
        date: text,
        lines: [
          ['(request-target)', 'get /orders?a=1'],
          ['host', 'api.example.com'],
          ['(created)', `${now}`],
          ['date', text],
        ],
      })
    expect(reasonOf(judged(both('Tue, 14 Nov 2023 22:14:20 GMT')))).toBe('ok')
    expect(reasonOf(judged(both('Tue, 14 Nov 2023 22:14:21 GMT')))).toBe('signature-malformed')
  })

  it('TI-11 ends with (expires), fractions rounded down', () => {
    expect(reasonOf(judged(expiring(`${now}`)))).toBe('ok')
    expect(reasonOf(judged(expiring(`${now}.9`), {}, { now: now + 1 }))).toBe('expired')
    expect(reasonOf(judged(expiring(`${now + 10}`), {}, { now: now + 11 }))).toBe('expired')
    expect(reasonOf(judged(expiring(`${now - 1}`)))).toBe('signature-malformed')
    for (const value of ['1.', '.5', '1.5.5', '1e9', '-1'])
      expect(reasonOf(judged(expiring(value))), value).toBe('signature-malformed')
  })

  it('CA-32 refuses (created) beside an algorithm by name, unless told to take it', () => {
    for (const algorithm of ['hmac-sha256', 'rsa-sha256', 'ecdsa-sha256', 'RSA-x']) {
      const message = created(`${now}`, { parameters: `keyId="k1",algorithm="${algorithm}",created=${now},` })
      expect(reasonOf(judged(message))).toBe('signature-malformed')
    }
    const old = created(`${now}`, { parameters: `keyId="k1",algorithm="hmac-sha256",created=${now},` })
    expect(judged(old, { compatible: ['created-with-named-algorithm'] })).toMatchObject({
      ok: true,
      warnings: ['compatible'],
    })
  })
})

describe('cavage takes the algorithm from the key', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()

  it('CR-01 so that no text of a public key is ever a secret', () => {
    const forms = [
      pem,
      pem.trim(),
      publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
    ]
    const text = `(request-target): get /orders?a=1\nhost: api.example.com\ndate: ${date}`
    for (const form of forms) {
      for (const algorithm of ['hmac-sha256', 'hmac-sha1', 'hmac-sha512', 'hs2019', undefined]) {
        const hash = algorithm?.startsWith('hmac-') ? algorithm.slice(5) : 'sha256'
        const signature = createHmac(hash, form).update(text).digest('base64')
        const named = algorithm === undefined ? '' : `algorithm="${algorithm}",`
        const forged = withFields(signed(), (fields) => [
          ...fields.slice(0, -1),
          `Signature keyId="k1",${named}headers="(request-target) host date",signature="${signature}"`,
        ])
        for (const bound of [undefined, 'hmac-sha256', 'rsa-v1_5-sha256']) {
          const known = { id: 'k1', key: pem, ...(bound === undefined ? {} : { algorithm: bound }) }
          const verdict = judged(forged, {}, { credential: known })
          expect(['algorithm-refused', 'signature-mismatch']).toContain(reasonOf(verdict))
        }
      }
    }
  })

  it('CR-02 CR-15 CR-16 CR-17 5.09 and a message may name it, but no weak, other or unknown one', () => {
    const named = (name: string, hash = 'sha256'): RequestMessage =>
      signed({ parameters: `keyId="k1",algorithm="${name}",`, hash })
    expect(reasonOf(judged(named('hmac-sha512', 'sha512')))).toBe('ok')
    expect(reasonOf(judged(named('hmac-sha384', 'sha384')))).toBe('ok')
    expect(reasonOf(judged(named('hs2019')))).toBe('ok')
    expect(reasonOf(judged(signed({ parameters: 'keyId="k1",' })))).toBe('ok')
    expect(reasonOf(judged(named('hmac-sha1', 'sha1')))).toBe('algorithm-refused')
    for (const name of [
      'none',
      'None',
      '',
      'HMAC-SHA256',
      ' hmac-sha256',
      'hmac-md5',
      'rsa-sha256',
      'ed25519',
      'unknown: x',
      'constructor',
    ]) {
      expect(reasonOf(judged(named(name))), name).toBe('algorithm-refused')
    }
    const bound = (algorithm: string): Circumstances => ({ credential: { ...credential, algorithm } })
    expect(judged(named('hmac-sha1', 'sha1'), {}, bound('hmac-sha1'))).toMatchObject({
      ok: true,
      warnings: ['weak-algorithm'],
    })
    expect(judged(named('hs2019', 'sha512'), {}, bound('hmac-sha512'))).toMatchObject({
      ok: true,
      warnings: [],
    })
    expect(reasonOf(judged(named('hmac-sha256'), {}, bound('hmac-sha512')))).toBe('algorithm-refused')
    expect(
      reasonOf(judged(named('hmac-sha512', 'sha512'), {}, { policy: { algorithms: ['hmac-sha256'] } })),
    ).toBe('algorithm-refused')
  })

  it('CR-06 ECDSA in DER, to the letter', () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const known = { id: 'k1', key: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() }
    const text = Buffer.from(`(request-target): get /orders?a=1\nhost: api.example.com\ndate: ${date}`)
    const der = nodeSign('sha256', text, { key: pair.privateKey, dsaEncoding: 'der' })
    const plain = nodeSign('sha256', text, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
    const sent = (signature: Uint8Array): string =>
      reasonOf(
        judged(
          withFields(signed(), (fields) => [
            ...fields.slice(0, -1),
            `Signature keyId="k1",algorithm="ecdsa-sha256",headers="(request-target) host date",signature="${Buffer.from(signature).toString('base64')}"`,
          ]),
          {},
          { credential: known },
        ),
      )
    expect(sent(der)).toBe('ok')
    expect(sent(plain)).toBe('signature-malformed')
    expect(sent(Buffer.concat([der, Buffer.of(0)]))).toBe('signature-malformed')
    expect(sent(der.subarray(0, -1))).toBe('signature-malformed')
  })
})

describe('cavage holds copies off', () => {
  it('5.04 5.17 RP-21 with a store and `singleUse`: of one signature the first', () => {
    const nonces = memoryNonces({ clock: () => now })
    const options = { singleUse: true }
    expect(reasonOf(judged(signed(), options, { nonces }))).toBe('ok')
    expect(reasonOf(judged(signed(), options, { nonces }))).toBe('replayed')
    expect(
      reasonOf(
        judged(
          withFields(signed(), (fields) => [...fields, 'X-More', '1']),
          options,
          { nonces },
        ),
      ),
    ).toBe('replayed')
    expect(reasonOf(judged(signed({ target: '/orders?a=2' }), options, { nonces }))).toBe('ok')
    // Without `singleUse` equal requests of one second are both taken, as by the original without its hook.
    expect(reasonOf(judged(signed(), {}, { nonces }))).toBe('ok')
    const hook: NonceStore = { record: () => 'seen' }
    expect(reasonOf(judged(signed({ target: '/x' }), options, { nonces: hook }))).toBe('replayed')
  })

  it('CR-08 an ECDSA signature turned over included', () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const known = { id: 'k1', key: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() }
    const text = Buffer.from(`(request-target): get /orders?a=1\nhost: api.example.com\ndate: ${date}`)
    const plain = nodeSign('sha256', text, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const turned = (order - BigInt(`0x${plain.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0')
    const der = (s: string): string => {
      const integers = [plain.subarray(0, 32).toString('hex'), s].map((hex) => {
        const short = hex.replace(/^(?:00)+/, '')
        const content = Number.parseInt(short.slice(0, 2), 16) > 127 ? `00${short}` : short
        return `02${(content.length / 2).toString(16).padStart(2, '0')}${content}`
      })
      const content = integers.join('')
      return Buffer.from(`30${(content.length / 2).toString(16)}${content}`, 'hex').toString('base64')
    }
    const nonces = memoryNonces({ clock: () => now })
    const sent = (signature: string, options: CavageOptions): string =>
      reasonOf(
        judged(
          withFields(signed(), (fields) => [
            ...fields.slice(0, -1),
            `Signature keyId="k1",headers="(request-target) host date",signature="${signature}"`,
          ]),
          options,
          { credential: known, nonces },
        ),
      )
    expect(sent(der(turned), {})).toBe('ok')
    expect(sent(der(plain.subarray(32).toString('hex')), { singleUse: true })).toBe('ok')
    expect(sent(der(turned), { singleUse: true })).toBe('replayed')
  })
})
