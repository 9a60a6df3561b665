import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { backend as webBackend } from '../../crypto/web.ts'
import type { BodySource } from '../../message/body.ts'
import { type RequestMessage, requestMessage, responseMessage, wireRequest } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import { CountersignError } from '../../reasons/error.ts'
import { createSigner } from '../../signer/signer.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { cavage } from './cavage.ts'
import type { CavageOptions } from './options.ts'

const now = 1_700_000_000
const secret = 'correct horse battery'
const credential: Credential = { id: 'k1', secret }
const headers = { Host: 'api.example.com' }
const get = requestMessage({ url: '/orders?a=1', headers })
const post = requestMessage({
  method: 'POST',
  url: '/orders',
  headers: { ...headers, 'Content-Type': 'application/json' },
  body: '{"amount":1}',
})

function fieldsOf(
  message: RequestMessage,
  options: CavageOptions = {},
  key = credential,
): Record<string, string> {
  const signer = createSigner({ scheme: cavage(options), credential: key, clock: () => now })
  return Object.fromEntries(signer.signSync(message).set)
}

function judged(message: RequestMessage, options: CavageOptions = {}, known = credential): Verdict {
  return createVerifier({
    schemes: [cavage(options)],
    credentials: () => known,
    clock: () => now,
  }).verifySync(message)
}

function roundTrip(
  message: RequestMessage,
  options: CavageOptions = {},
  key = credential,
  known = key,
): Verdict {
  const signer = createSigner({ scheme: cavage(options), credential: key, clock: () => now })
  return judged(applyPatch(message, signer.signSync(message)), options, known)
}

/** A key pair, each half as a credential. */
function pairOf(
  type: 'rsa' | 'ed25519' | 'P-256' | 'P-384',
  algorithm?: string,
): readonly [Credential, Credential] {
  const encoded = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048, ...encoded })
      : type === 'ed25519'
        ? generateKeyPairSync('ed25519', encoded)
        : generateKeyPairSync('ec', { namedCurve: type, ...encoded })
  const bound = algorithm === undefined ? {} : { algorithm }
  return [
    { id: 'k1', key: pair.privateKey, ...bound },
    { id: 'k1', key: pair.publicKey, ...bound },
  ]
}

describe('5.12 cavage adds what a list names and the request lacks', () => {
  it('Date for a request without content', () => {
    const { Date: date, Authorization: authorization = '', ...others } = fieldsOf(get)
    expect(date).toBe('Tue, 14 Nov 2023 22:13:20 GMT')
    expect(authorization).toMatch(
      /^Signature keyId="k1",algorithm="hmac-sha256",headers="\(request-target\) host date",signature="[^"]{44}"$/,
    )
    expect(others).toEqual({})
  })

  it('Digest for content, and the Content-Type that is there', () => {
    const { Digest: digest, Authorization: authorization } = fieldsOf(post)
    expect(digest).toBe(`SHA-256=${createHash('sha256').update('{"amount":1}').digest('base64')}`)
    expect(authorization).toContain('headers="(request-target) host date digest content-type"')
    expect(fieldsOf(post, { digest: 'SHA-512' }).Digest).toMatch(/^SHA-512=.{88}$/)
  })

  it('Content-Length and Content-Type in the lists of Flask-Cavage', () => {
    const bare = requestMessage({ method: 'PUT', url: '/up', headers, body: 'abc' })
    const fields = fieldsOf(bare, { profile: 'flask-cavage' })
    expect(Object.keys(fields)).toEqual(['Date', 'Content-Type', 'Content-Length', 'Digest', 'Authorization'])
    expect(fields).toMatchObject({ 'Content-Type': 'application/octet-stream', 'Content-Length': '3' })
    expect(fields.Authorization).toMatch(
      /^Signature keyId="k1",algorithm="hmac-sha256",signature="[^"]*",headers="\(request-target\) host date content-length content-type digest"$/,
    )
    const empty = requestMessage({ method: 'POST', url: '/up', headers })
    expect(fieldsOf(empty, { profile: 'flask-cavage' })['Content-Length']).toBe('0')
  })

  it('nothing that is there: a Date of its own is signed as it is', () => {
    const dated = requestMessage({ url: '/', headers: { ...headers, date: 'Tue, 14 Nov 2023 22:13:00 GMT' } })
    expect(fieldsOf(dated).Date).toBeUndefined()
    expect(roundTrip(dated)).toMatchObject({ ok: true, claim: { createdAt: now - 20 } })
    const stale = requestMessage({
      method: 'POST',
      url: '/',
      headers: { ...headers, Digest: 'SHA-256=AAAA' },
      body: 'x',
    })
    expect(fieldsOf(stale).Digest).not.toBe('SHA-256=AAAA')
  })

  it('(created), (expires) and hs2019 where the options say so', () => {
    expect(fieldsOf(get, { time: 'created' }).Authorization).toMatch(
      /^Signature keyId="k1",algorithm="hs2019",created=1700000000,headers="\(request-target\) host \(created\)",signature=/,
    )
    const options = { headers: ['(request-target)', 'host', '(created)', '(expires)'], expiresInSeconds: 60 }
    expect(fieldsOf(get, options).Authorization).toContain('created=1700000000,expires=1700000060,')
    expect(roundTrip(get, options)).toMatchObject({
      ok: true,
      claim: { createdAt: now, expiresAt: now + 60 },
    })
    expect(fieldsOf(get, { algorithm: 'none' }).Authorization).toMatch(/^Signature keyId="k1",headers=/)
    expect(fieldsOf(get, { algorithm: 'hs2019' }).Authorization).toContain('algorithm="hs2019"')
  })

  it('the Signature field, where it is asked for', () => {
    const fields = fieldsOf(get, { field: 'signature' })
    expect(fields.Signature).toMatch(/^keyId="k1",algorithm=/)
    expect(fields.Authorization).toBeUndefined()
    expect(roundTrip(get, { field: 'signature' })).toMatchObject({ ok: true })
  })

  it('5.06 5.07 lists of its own, for all methods or by method', () => {
    const options: CavageOptions = {
      headers: {
        GET: ['(request-target)', 'host', 'date', 'x-tenant'],
        '*': ['(request-target)', 'host', 'date', 'digest'],
      },
    }
    const tenant = requestMessage({ url: '/', headers: { ...headers, 'X-Tenant': 'a' } })
    expect(fieldsOf(tenant, options).Authorization).toContain('headers="(request-target) host date x-tenant"')
    expect(roundTrip(tenant, options)).toMatchObject({ ok: true })
    expect(roundTrip(post, options)).toMatchObject({ ok: true })
    expect(() => fieldsOf(get, options)).toThrow(/x-tenant is covered and not there/)
    // The verifier demands the lists as well, and says so in its challenge.
    const fewer = createSigner({ scheme: cavage(), credential, clock: () => now })
    const verdict = judged(applyPatch(tenant, fewer.signSync(tenant)), options)
    expect(verdict).toMatchObject({ ok: false, reason: 'coverage-missing' })
    expect(!verdict.ok && verdict.headers).toEqual([
      ['WWW-Authenticate', 'Signature realm="HTTP-Signatures",headers="(request-target) host date x-tenant"'],
    ])
  })

  it('warns of a list without a time, which only the options can ask for', () => {
    const options = { headers: ['(request-target)', 'host'] }
    expect(roundTrip(get, options)).toMatchObject({ ok: true, warnings: ['replayable'] })
  })
})

describe('cavage signs with every kind of key', () => {
  it.each([
    ['rsa', undefined, 'rsa-sha256'],
    ['rsa', 'rsa-v1_5-sha512', 'rsa-sha512'],
    ['rsa', 'rsa-v1_5-sha1', 'rsa-sha1'],
    ['rsa', 'rsa-pss-sha512', 'hs2019'],
    ['P-256', undefined, 'ecdsa-sha256'],
    ['P-384', undefined, 'hs2019'],
    ['ed25519', undefined, 'hs2019'],
  ] as const)('5.09 %s bound to %s, written as %s', async (type, algorithm, name) => {
    const [signing, verifying] = pairOf(type, algorithm)
    for (const message of [get, post]) {
      const verdict = roundTrip(message, {}, signing, verifying)
      expect(verdict.ok, verdict.ok ? '' : verdict.detail).toBe(true)
      expect(verdict.ok && verdict.warnings).toEqual(name === 'rsa-sha1' ? ['weak-algorithm'] : [])
    }
    expect(fieldsOf(get, {}, signing).Authorization).toContain(`algorithm="${name}"`)
    // The other runtime's cryptography agrees, both ways.
    const web = createSigner({ scheme: cavage(), credential: signing, clock: () => now, backend: webBackend })
    expect(judged(applyPatch(get, await web.sign(get)), {}, verifying)).toMatchObject({ ok: true })
    const verifier = createVerifier({
      schemes: [cavage()],
      credentials: () => verifying,
      clock: () => now,
      backend: webBackend,
    })
    const here = createSigner({ scheme: cavage(), credential: signing, clock: () => now })
    expect(await verifier.verify(applyPatch(post, await here.sign(post)))).toMatchObject({ ok: true })
    const other = pairOf(type, algorithm)[1]
    expect(roundTrip(get, {}, signing, other)).toMatchObject({ ok: false, reason: 'signature-mismatch' })
  })

  it('names Ed25519 as implementations before draft 11 do, where it is asked to name it', () => {
    const [signing, verifying] = pairOf('ed25519')
    expect(fieldsOf(get, { algorithm: 'named' }, signing).Authorization).toContain(
      'algorithm="ed25519-sha512"',
    )
    expect(roundTrip(get, { algorithm: 'named' }, signing, verifying)).toMatchObject({ ok: true })
  })
})

describe('cavage does not sign', () => {
  const refused = (code: string) => expect.objectContaining({ name: 'CountersignError', code })

  it('what it has no form for', () => {
    const flask: CavageOptions = { profile: 'flask-cavage' }
    const signer = createSigner({ scheme: cavage(), credential, clock: () => now })
    expect(() => signer.signSync(responseMessage({ status: 200 }))).toThrow(refused('component-unavailable'))
    for (const [message, options] of [
      [wireRequest({ ...get, method: 'patch' }), {}],
      [requestMessage({ url: '/', headers: { ...headers, Date: 'yesterday' } }), {}],
      [
        requestMessage({ url: '/', headers: { ...headers, Date: ['Tue, 14 Nov 2023 22:13:20 GMT', 'x'] } }),
        {},
      ],
      [requestMessage({ method: 'POST', url: '/a?b=1', headers }), flask],
      [requestMessage({ method: 'OPTIONS', url: '/a', headers }), flask],
      [requestMessage({ url: '/a%2Fb', headers }), flask],
      [requestMessage({ url: '/a%0Ahost: b', headers }), flask],
      [requestMessage({ url: '/a%0Ab', headers }), flask],
      [requestMessage({ url: '/caf%C3%A9', headers }), flask],
      [requestMessage({ url: '/100%', headers }), flask],
      [requestMessage({ url: '/a?b=1?', headers }), flask],
    ] as const) {
      expect(() => fieldsOf(message, options), message.target).toThrow(refused('component-unavailable'))
    }
    expect(fieldsOf(requestMessage({ url: '/100%25?b=%zz', headers }), flask).Authorization).toBeDefined()
  })

  it('content that cannot be read', async () => {
    const body: BodySource = {
      kind: 'body-source',
      bytes: async () => ({ kind: 'body-problem', problem: 'incomplete' }),
    }
    for (const options of [{}, { profile: 'flask-cavage' } as const]) {
      const signer = createSigner({ scheme: cavage(options), credential, clock: () => now })
      await expect(signer.sign(wireRequest({ ...post, body }))).rejects.toThrow(refused('body-unavailable'))
    }
  })

  it('with a key id that the field cannot carry', () => {
    for (const id of ['', 'a"b', 'a\\b', 'a\nb', 'é', 'a'.repeat(257)]) {
      expect(() => fieldsOf(get, {}, { id, secret })).toThrow(/^credential id: /)
    }
    expect(() => fieldsOf(get, { keyIds: 'word' }, { id: 'a-b', secret })).toThrow(/^credential id: /)
  })

  it('under options that cannot work', () => {
    const options: readonly object[] = [
      { profile: 'loose' },
      { headers: [] },
      { headers: ['Date'] },
      { headers: ['date', 'date'] },
      { headers: ['(status)'] },
      { headers: { GET: [] } },
      { headers: ['(created)'], profile: 'flask-cavage' },
      { time: 'now' },
      { time: 'created', profile: 'flask-cavage' },
      { field: 'cookie' },
      { field: 'signature', profile: 'flask-cavage' },
      { algorithm: 'hs2019', profile: 'flask-cavage' },
      { digest: 'MD5' },
      { expiresInSeconds: 0 },
      { expiresInSeconds: '60' },
      { singleUse: 'yes' },
      { keyIds: 'none' },
      { realm: 'a"b' },
      { compatible: ['everything'] },
      { compatible: ['unsigned-query'] },
      { compatible: ['date-weekday'], profile: 'flask-cavage' },
    ]
    for (const one of options) expect(() => cavage(one), JSON.stringify(one)).toThrow(CountersignError)
    const named = { algorithm: 'named', time: 'created' } as const
    expect(() => fieldsOf(get, named)).toThrow(refused('config-invalid'))
  })
})
