import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../bytes/utf8.ts'
import { type RequestMessage, requestMessage, responseMessage, wireRequest } from '../message/message.ts'
import { applyPatch } from '../message/patch.ts'
import { signatureBaseLines } from '../message/signature-base.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal } from '../reasons/reasons.ts'
import { createSigner } from '../signer/signer.ts'
import type { Verdict } from '../verifier/verdict.ts'
import { createVerifier } from '../verifier/verifier.ts'
import { type UstudioHmacOptions, ustudioHmac } from './ustudio-hmac.ts'

const secret = 'correct horse battery'
const credential = { id: 'studio-a', secret, rights: ['videos:read'] }
const signer = createSigner({ scheme: ustudioHmac(), credential })
const verifier = createVerifier({ schemes: [ustudioHmac()], credentials: () => credential })
const headers = { Host: 'api.example.test' }

const python: { readonly canonicalQuery: readonly (readonly [query: string, canonical: string])[] } =
  JSON.parse(
    readFileSync(new URL('../../../../vectors/ustudio-hmac/python-urllib.json', import.meta.url), 'utf8'),
  )

/** The base of a request, as text; of a refused one its reason. */
function baseText(message: RequestMessage, options?: UstudioHmacOptions): string {
  const scheme = ustudioHmac(options)
  const claim = { ...emptyClaim }
  const base = scheme.base(message, claim, { limitBytes: 1_048_576 })
  if ('next' in base) throw new Error('expected the base at once')
  return isRefusal(base) ? base.reason : base.text
}

function queryBase(query: string, options?: UstudioHmacOptions): string {
  const text = baseText(requestMessage({ url: `/?${query}`, headers }), options)
  return text.startsWith('GET\n/\n') ? text.slice('GET\n/\n'.length, -1) : text
}

/** Signs one request and delivers another one under its signature. */
async function delivered(signed: RequestMessage, received: RequestMessage): Promise<Verdict> {
  return verifier.verify(applyPatch(received, await signer.sign(signed)))
}

const get = (target: string): RequestMessage => requestMessage({ url: target, headers })
const emptyClaim = {
  scheme: 'ustudio-hmac',
  keyId: 'studio-a',
  algorithm: undefined,
  covers: [],
  createdAt: undefined,
  expiresAt: undefined,
  nonce: undefined,
  tag: undefined,
  label: undefined,
  signature: '',
  contentDigest: undefined,
}

describe('ustudioHmac signs', () => {
  it('1.01 one Authorization field of scheme, key id and lower-case hex', async () => {
    const { set } = await signer.sign(get('/v1/videos'))
    expect(set).toEqual([
      [
        'Authorization',
        'USTUDIO-HMAC-V2 studio-a 43b89a7eb127c53179b99e69e7f430983f94291360c551807973bc8d24484234',
      ],
    ])
  })

  it('1.02 HMAC-SHA-256 over method, path, canonical query and the raw body', async () => {
    const body = Uint8Array.of(0, 255, 10)
    const message = requestMessage({ method: 'POST', url: '/v1/a%2Fb?b=2&a=1', headers, body })
    const hmac = createHmac('sha256', secret).update('POST\n/v1/a%2Fb\na=1&b=2\n').update(body).digest('hex')
    expect((await signer.sign(message)).set[0]?.[1]).toBe(`USTUDIO-HMAC-V2 studio-a ${hmac}`)
  })

  it('1.03 a query with blanks kept, names sorted, values sorted by name', () => {
    expect(queryBase('bar=value%202&bar=avalue&Foo=value%3f1&blank')).toBe(
      'Foo=value%3F1&bar=avalue&bar=value%202&blank=',
    )
  })

  it('1.04 values quoted and names decoded as urllib.parse of Python does', () => {
    let compared = 0
    for (const [query, canonical] of python.canonicalQuery) {
      // The generated queries have raw characters that a request target may not have; they are read all the same.
      const message = wireRequest({
        method: 'GET',
        target: '/',
        scheme: 'https',
        fields: ['Host', 'a'],
        body: undefined,
      })
      const base = baseText({ ...message, target: `/?${query}` })
      if (base === 'component-missing') continue
      expect(base).toBe(`GET\n/\n${canonical}\n`)
      compared++
    }
    expect(compared).toBeGreaterThan(python.canonicalQuery.length / 2)
  })

  it('1.06 without the secret in anything it gives, and the key id in its place alone', async () => {
    const text = fc.stringMatching(/^[A-Za-z0-9]{20,40}$/)
    await fc.assert(
      fc.asyncProperty(text, text, async (id, secret) => {
        fc.pre(!id.includes(secret))
        const patch = await createSigner({ scheme: ustudioHmac(), credential: { id, secret } }).sign(
          get('/a?b=c'),
        )
        const written = JSON.stringify(patch)
        expect(written.includes(secret)).toBe(false)
        expect(written.split(id)).toHaveLength(2)
      }),
      { numRuns: 50 },
    )
  })

  it('1.07 leaving every other field as it was', async () => {
    const message = requestMessage({ url: '/a', headers: { ...headers, 'X-Trace': '1', Accept: '*/*' } })
    const signed = applyPatch(message, await signer.sign(message))
    expect(signed.fields.slice(0, 6)).toEqual(['Host', 'api.example.test', 'X-Trace', '1', 'Accept', '*/*'])
    expect(signed.fields).toHaveLength(8)
  })

  it('1.08 GET where no method is given, and says what is wrong with a missing URL', () => {
    expect(baseText(requestMessage({ url: '/a', headers }))).toBe('GET\n/a\n\n')
    expect(() => requestMessage({ url: '', headers })).toThrow(/^url: /)
  })

  it('1.09 text bodies as UTF-8, bytes as they are, absolute URLs and paths alike', async () => {
    const body = '{"title":"Café"}'
    const urls = ['https://api.example.test/a?b=1', '/a?b=1']
    const bodies = [body, utf8Encode(body)]
    const made = urls.flatMap((url) =>
      bodies.map((one) => requestMessage({ method: 'POST', url, headers, body: one })),
    )
    const patches = await Promise.all(made.map((message) => signer.sign(message)))
    for (const patch of patches) expect(patch).toEqual(patches[0])
  })

  it('lines that explain can show', () => {
    const base = ustudioHmac().base(requestMessage({ url: '/a?b', headers, body: 'xyz' }), emptyClaim, {
      limitBytes: 10,
    })
    expect('text' in base && signatureBaseLines(base)).toEqual([
      { label: 'method', text: 'GET' },
      { label: 'path', text: '/a' },
      { label: 'query', text: 'b=' },
      { label: 'body', text: '3 bytes' },
    ])
  })

  it('no response, and with no key id that the header cannot carry', async () => {
    await expect(signer.sign(responseMessage({ status: 200 }))).rejects.toThrow(CountersignError)
    for (const id of ['', 'a b', 'a\tb', 'a\nb', 'é', 'a'.repeat(257)]) {
      const misnamed = createSigner({ scheme: ustudioHmac(), credential: { id, secret } })
      await expect(misnamed.sign(get('/'))).rejects.toThrow(/^credential id: /)
    }
  })

  it('whatever it is given, so that it verifies, or refuses to sign', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        '=',
        '&',
        '%3D',
        '%26',
        '%0A',
        '%ff',
        '+',
        '%',
        ';',
        '?',
        '/',
        '%F0%9F%98%80',
        '__proto__',
      ),
      fc.stringMatching(/^[!$-;=?-[\]-~]*$/),
    )
    const target = fc.array(piece).map((pieces) => `/${pieces.join('')}`)
    const method = fc.stringMatching(/^[A-Za-z-]{1,10}$/)
    const body = fc.option(fc.uint8Array(), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(method, target, body, async (method, target, body) => {
        const message = wireRequest({ method, target, scheme: 'https', fields: ['Host', 'a'], body })
        expect(message.problem).toBeUndefined()
        const patch = await signer.sign(message).catch((failure: unknown) => failure)
        if (patch instanceof CountersignError) expect(patch.code).toBe('component-unavailable')
        else expect(await delivered(message, message)).toMatchObject({ ok: true })
      }),
      { numRuns: 500 },
    )
  })
})

describe('ustudioHmac refuses', () => {
  it('CA-35 one parameter under the signature of two', async () => {
    expect(await delivered(get('/?x=1&y=2'), get('/?x%3D1%26y=2'))).toMatchObject({
      reason: 'component-missing',
    })
  })

  it('CA-38 a line of the body moved into the query, and a line of the query into the body', async () => {
    const post = (url: string, body: string): RequestMessage =>
      requestMessage({ method: 'POST', url, headers, body })
    const moved = await delivered(post('/a', 'amount=100\n'), post('/a?%0Aamount=100', ''))
    expect(moved).toMatchObject({ reason: 'component-missing' })
    await expect(signer.sign(post('/a?b%0A=1', ''))).rejects.toThrow(/line feed/)
  })

  it('CA-40 more than 1,000 parameters, without dropping any', async () => {
    const query = Array.from({ length: 1000 }, (_, i) => `p${i}=${i}`).join('&')
    expect(await delivered(get(`/?${query}&&&`), get(`/?${query}`))).toMatchObject({ ok: true })
    expect(await delivered(get(`/?${query}`), get(`/?${query}&admin=1`))).toMatchObject({
      reason: 'message-malformed',
      status: 400,
    })
  })

  it('PA-09 PA-10 PA-11 a digest that is not 64 lower-case hex digits', async () => {
    const value = (await signer.sign(get('/'))).set[0]?.[1] ?? ''
    const short = value.slice(0, -2)
    for (const bad of [
      `${value}zz`,
      `${value}00`,
      short,
      value.slice(0, -1),
      value.toUpperCase(),
      `${short}é0`,
      `${short}\ud83d\ude00`,
    ]) {
      const received = requestMessage({ url: '/', headers: { ...headers, Authorization: bad } })
      expect(await verifier.verify(received)).toMatchObject({ reason: 'signature-malformed', status: 401 })
    }
  })

  it('PA-12 two Authorization lines in any order', async () => {
    const value = (await signer.sign(get('/'))).set[0]?.[1] ?? ''
    for (const [first, second] of [
      [value, value],
      [value, 'Basic eA=='],
      ['Basic eA==', value],
      ['', value],
    ]) {
      const received = requestMessage({
        url: '/',
        headers: { ...headers, Authorization: [first ?? '', second ?? ''] },
      })
      expect(await verifier.verify(received)).toMatchObject({ reason: 'signature-malformed' })
    }
  })

  it('PA-29 a key id over 256 characters, without repeating it', async () => {
    const authorization = `USTUDIO-HMAC-V2 ${'k'.repeat(10_240)} ${'0'.repeat(64)}`
    const verdict = await verifier.verify(
      requestMessage({ url: '/', headers: { ...headers, authorization } }),
    )
    expect(verdict).toMatchObject({ reason: 'signature-malformed' })
    expect(JSON.stringify(verdict)).not.toContain('kkkk')
  })

  it('no more than it must: of all short queries and bodies it signs, no two differ under one base', () => {
    const ours = new Map<string, string>()
    const originals = new Map<string, string>()
    let collisions = 0
    let otherwise = 0
    let originalCollisions = 0
    for (const query of sequences(['a', '1', '=', '&', '%3D', '%26', '%0A'], 5)) {
      const pairs = [...new URLSearchParams(`&${query}`)].sort(byNameAndValue)
      const base = queryBase(query)
      const original = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
      if (base !== original && base !== 'component-missing') otherwise++
      for (const body of ['', '\n', '=\n', 'a=\n', 'a=1\n', '=1\n']) {
        const reading = JSON.stringify([pairs, body])
        if (isCollision(originals, `${original}\n${body}`, reading)) originalCollisions++
        if (base !== 'component-missing' && isCollision(ours, `${base}\n${body}`, reading)) collisions++
      }
    }
    expect({ collisions, otherwise }).toEqual({ collisions: 0, otherwise: 0 })
    // The search does find what the original lets through.
    expect(originalCollisions).toBeGreaterThan(100)
    expect(ours.size).toBeGreaterThan(20_000)
  })

  it('an unknown option', () => {
    const options: object = { query: 'loose' }
    expect(() => ustudioHmac(options)).toThrow(CountersignError)
  })
})

/** Gives every text of up to `most` of the pieces. */
function* sequences(pieces: readonly string[], most: number): Generator<string> {
  yield ''
  if (most === 0) return
  for (const piece of pieces) for (const rest of sequences(pieces, most - 1)) yield piece + rest
}

function byNameAndValue(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0
}

/** Tells whether a base was signed before for another reading, and remembers it. */
function isCollision(seen: Map<string, string>, base: string, reading: string): boolean {
  const before = seen.get(base) ?? reading
  seen.set(base, before)
  return before !== reading
}

describe('ustudioHmac accepts', () => {
  it('CA-36 repeated names in any order, which the scheme does not sign, unless told to be strict', async () => {
    expect(await delivered(get('/?to=alice&to=bob'), get('/?to=bob&to=alice'))).toMatchObject({ ok: true })
    expect(queryBase('to=alice&to=bob', { query: 'strict' })).toBe('component-missing')
    expect(queryBase('a=1&b=2&a=3', { query: 'strict' })).toBe('component-missing')
    expect(queryBase('b=2&a=1&a=1', { query: 'strict' })).toBe('a=1&a=1&b=2')
  })

  it('CA-37 malformed UTF-8, all of it read as U+FFFD, unless told to be strict', async () => {
    expect(await delivered(get('/?a=%ff'), get('/?a=%fe'))).toMatchObject({ ok: true })
    for (const query of ['a=%ff', '%fe=1', 'a=%EF%BF%BD']) {
      expect(queryBase(query, { query: 'strict' })).toBe('component-missing')
    }
    expect(queryBase('a=%C3%AB', { query: 'strict' })).toBe('a=%C3%AB')
  })

  it('CA-39 blanks, empty parameters and a bare question mark as the original, unless told to be strict', () => {
    expect([queryBase('a'), queryBase('a=')]).toEqual(['a=', 'a='])
    expect([queryBase('a=1&&b=2'), queryBase('&a=1&b=2&')]).toEqual(['a=1&b=2', 'a=1&b=2'])
    expect([queryBase(''), queryBase('&&'), baseText(get('/'))]).toEqual(['', '', 'GET\n/\n\n'])
    for (const query of ['a', 'a=1&&b=2', '&a=1', 'a=1&', '']) {
      expect(queryBase(query, { query: 'strict' })).toBe('component-missing')
    }
    expect(baseText(get('/'), { query: 'strict' })).toBe('GET\n/\n\n')
  })

  it('1.11 credentials from a lookup that answers at once or later, and nothing for an unknown key', async () => {
    const received = applyPatch(get('/a'), await signer.sign(get('/a')))
    for (const credentials of [() => credential, async () => credential]) {
      expect(await createVerifier({ schemes: [ustudioHmac()], credentials }).verify(received)).toMatchObject({
        ok: true,
      })
    }
    for (const credentials of [() => undefined, async () => undefined]) {
      const verdict = await createVerifier({ schemes: [ustudioHmac()], credentials }).verify(received)
      expect(verdict).toMatchObject({ ok: false, reason: 'credential-unknown' })
    }
  })

  it('1.14 and refuses with a detail for the log that is not sent', async () => {
    const seen: Verdict[] = []
    const watched = createVerifier({
      schemes: [ustudioHmac()],
      credentials: () => credential,
      onVerdict: (verdict) => seen.push(verdict),
    })
    const verdict = await watched.verify(applyPatch(get('/a'), await signer.sign(get('/b'))))
    expect(seen).toEqual([verdict])
    expect(verdict).toMatchObject({
      reason: 'signature-mismatch',
      headers: [['WWW-Authenticate', 'USTUDIO-HMAC-V2']],
    })
  })

  it('1.18 a request for ever, and says so in its traits', async () => {
    const received = applyPatch(get('/a'), await signer.sign(get('/a')))
    for (const now of [0, 1_700_000_000, 4_000_000_000]) {
      const late = createVerifier({
        schemes: [ustudioHmac()],
        credentials: () => credential,
        clock: () => now,
      })
      expect(await late.verify(received)).toMatchObject({ ok: true })
    }
    const { traits } = ustudioHmac()
    expect(traits).toMatchObject({ time: false, nonce: false, chosenCoverage: false, bodyInBase: true })
    expect(traits.uncovered).toEqual(expect.arrayContaining(['time', 'nonce', 'host', 'header fields']))
  })

  it('long queries in time that grows with their length', () => {
    const shared = 'n'.repeat(1000)
    const hostile = [
      Array.from({ length: 1000 }, (_, i) => `${shared}${999 - i}=${shared}`).join('&'),
      Array.from({ length: 1000 }, () => `${shared}=${shared}`).join('&'),
      '&'.repeat(200_000),
      '='.repeat(200_000),
      '%'.repeat(200_000),
      `${'='.repeat(100_000)}&${'%3D'.repeat(50_000)}%26=1`,
      '%26%3D'.repeat(50_000),
      `${'%3Da'.repeat(50_000)}=1`,
    ]
    const before = performance.now()
    for (const query of hostile) queryBase(query)
    // A quadratic step would take minutes here; the whole takes a tenth of a second.
    expect(performance.now() - before).toBeLessThan(5000)
  })
})
