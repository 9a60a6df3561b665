import { Buffer } from 'node:buffer'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import {
  type RequestMessage,
  type RequestMessageInput,
  requestMessage,
  responseMessage,
} from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import type { Policy } from '../../policy/policy.ts'
import { createSigner } from '../../signer/signer.ts'
import { memoryCredentials } from '../../stores/memory.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { rfc9421 } from '../rfc9421/rfc9421.ts'
import { flaskHmac } from './flask-hmac.ts'
import type { FlaskHmacOptions, FlaskHmacVariant } from './options.ts'

const secret = 'correct horse battery'
const plain: Credential = { id: 'default', secret }
const alice: Credential = { id: 'alice', secret: 'of alice', rights: ['orders'] }
const bob: Credential = { id: 'bob', secret: 'of bob' }
const headers = { Host: 'api.example.test' }

const mac = (text: string | Buffer, digest = 'sha256', key = secret) => createHmac(digest, key).update(text)

function get(url: string, more: Partial<RequestMessageInput> = {}): RequestMessage {
  return requestMessage({ url, headers, ...more })
}

function signed(
  message: RequestMessage,
  options: FlaskHmacOptions,
  credential: Credential = plain,
): RequestMessage {
  return applyPatch(message, createSigner({ scheme: flaskHmac(options), credential }).signSync(message))
}

/** A request with some value in a field. */
function carrying(
  value: string,
  name = 'Signature',
  more: Partial<RequestMessageInput> = {},
): RequestMessage {
  return get('/orders', { ...more, headers: { ...headers, [name]: value } })
}

interface Judging {
  readonly rights?: readonly string[]
  readonly policy?: Policy
}

function judge(
  message: RequestMessage,
  options: FlaskHmacOptions,
  { rights = [], policy = {} }: Judging = {},
): Verdict {
  const credentials = memoryCredentials([plain, alice, bob])
  const schemes = [flaskHmac(options)]
  return createVerifier({ schemes, credentials, policy }).verifySync(message, { rights })
}

function outcome(message: RequestMessage, options: FlaskHmacOptions, judging?: Judging): string {
  const verdict = judge(message, options, judging)
  return verdict.ok ? 'ok' : `${verdict.reason} ${verdict.status}`
}

const path: FlaskHmacOptions = { variant: 'path' }
const body: FlaskHmacOptions = { variant: 'body-base64' }
const named: FlaskHmacOptions = { variant: 'named-base64' }

describe('flaskHmac signs', () => {
  it('3.03 3.04 the decoded path, in URL-safe base64 without padding', () => {
    const message = signed(get('/my%20orders/%7e?page=2'), path)
    expect(message.fields.slice(-2)).toEqual(['HMAC', mac('/my orders/~').digest('base64url')])
  })

  it('3.10 the body, in base64, and a name in front of that where keys have names', () => {
    const message = get('/orders', { method: 'POST', body: 'José' })
    expect(signed(message, body).fields.slice(-2)).toEqual(['Signature', mac('José').digest('base64')])
    const inner = mac('José', 'sha256', 'of alice').digest('base64')
    expect(signed(message, named, alice).fields.at(-1)).toBe(Buffer.from(`alice:${inner}`).toString('base64'))
  })

  it('3.07 in any rendering, under any header and hash', () => {
    for (const digest of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        for (const variant of ['path', 'body-base64', 'named-base64url'] as const) {
          const options: FlaskHmacOptions = { variant, digest, encoding, header: 'X-Hmac' }
          const credential = variant === 'named-base64url' ? alice : plain
          const message = signed(get('/orders'), options, credential)
          expect(message.fields.at(-2)).toBe('X-Hmac')
          if (variant === 'path') expect(message.fields.at(-1)).toBe(mac('/orders', digest).digest(encoding))
          expect(outcome(message, options)).toBe('ok')
        }
      }
    }
  })

  it('no form, no path that others tell apart, no response, and under no name that its value cannot hold', () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }
    expect(() => signed(get('/', { method: 'POST', headers: form, body: 'a=1' }), body)).toThrow(
      /content of a form/,
    )
    expect(() => signed(get('/a%2Fb'), path)).toThrow(/escaped-separators/)
    expect(() => signed(get('/caf%C3%A9'), path)).toThrow(/beyond ASCII/)
    const signer = createSigner({ scheme: flaskHmac(body), credential: plain })
    expect(() => signer.signSync(responseMessage({ status: 200 }))).toThrow(/signs requests/)
    for (const id of ['a:b', 'é', 'a\n', 'a'.repeat(257)]) {
      expect(() => signed(get('/'), named, { ...alice, id })).toThrow(/^credential id: /)
    }
  })

  it('whatever it is given, so that it verifies', () => {
    const variants: readonly FlaskHmacVariant[] = [
      'path',
      'body-base64url',
      'body-base64',
      'named-base64url',
      'named-base64',
    ]
    const names = fc.stringMatching(/^[ -9;-~]{0,256}$/)
    fc.assert(
      fc.property(
        fc.constantFrom(...variants),
        names,
        fc.webPath(),
        fc.uint8Array(),
        (variant, name, target, bytes) => {
          const id = variant.startsWith('named') ? name : 'default'
          const credential = { id, secret }
          const message = get(`/x${target}`, { method: 'PUT', body: bytes })
          let arrived: RequestMessage
          try {
            arrived = signed(message, { variant }, credential)
          } catch (failure) {
            expect(failure).toMatchObject({ code: 'component-unavailable' })
            expect(variant).toBe('path')
            return
          }
          const verifier = createVerifier({
            schemes: [flaskHmac({ variant })],
            credentials: () => credential,
          })
          expect(verifier.verifySync(arrived)).toMatchObject({ ok: true, claim: { keyId: id } })
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('flaskHmac takes', () => {
  it('3.03 a path signature with padding and without, and a body signature only as the original writes it', () => {
    const value = mac('/orders').digest('base64url')
    expect(outcome(carrying(value, 'HMAC'), path)).toBe('ok')
    expect(outcome(carrying(`${value}=`, 'HMAC'), path)).toBe('ok')
    for (const bad of [`${value}==`, `=${value}`, `${value}=A`, `${value} =`]) {
      expect(outcome(carrying(bad, 'HMAC'), path)).toBe('signature-malformed 403')
    }
    const ofBody = mac('').digest('base64url')
    expect(outcome(carrying(`${ofBody}=`), { variant: 'body-base64url' })).toBe('ok')
    expect(outcome(carrying(ofBody), { variant: 'body-base64url' })).toBe('signature-malformed 403')
  })

  it('3.09 names that a route lists by a right, and the plain key only where it has that right too', () => {
    const schemes = [flaskHmac(named), flaskHmac(body)]
    const verifier = createVerifier({ schemes, credentials: memoryCredentials([plain, alice, bob]) })
    const reason = (message: RequestMessage, rights: readonly string[]) => {
      const verdict = verifier.verifySync(message, { rights })
      return verdict.ok ? verdict.credential.id : verdict.reason
    }
    const messages = [signed(get('/'), named, alice), signed(get('/'), named, bob), signed(get('/'), body)]
    expect(messages.map((message) => reason(message, []))).toEqual(['alice', 'bob', 'default'])
    expect(messages.map((message) => reason(message, ['orders']))).toEqual([
      'alice',
      'right-missing',
      'right-missing',
    ])
  })

  it('3.11 header, hash and key id as told', () => {
    const options: FlaskHmacOptions = { variant: 'body-base64', header: 'X-Hmac', keyId: 'alice' }
    const message = signed(get('/'), options, alice)
    expect(judge(message, options)).toMatchObject({ ok: true, credential: { id: 'alice' } })
    expect(outcome(message, body)).toBe('signature-absent 403')
    expect(outcome(message, { ...options, keyId: 'nobody' })).toBe('credential-unknown 403')
  })

  it('3.12 each failure for what it is', () => {
    const wrap = (text: string) => carrying(Buffer.from(text).toString('base64'))
    const good = mac('', 'sha256', 'of alice').digest('base64')
    expect(outcome(get('/'), body)).toBe('signature-absent 403')
    expect(outcome(carrying('zz'), body)).toBe('signature-malformed 403')
    expect(outcome(wrap(`alice:${good}`), named)).toBe('ok')
    expect(outcome(wrap(`carol:${good}`), named)).toBe('credential-unknown 403')
    expect(outcome(wrap(`bob:${good}`), named)).toBe('signature-mismatch 403')
    expect(outcome(carrying(good), body)).toBe('signature-mismatch 403')
    for (const bad of [
      'alice',
      good,
      `a:b:${good}`,
      `${'a'.repeat(257)}:${good}`,
      `é:${good}`,
      'alice:',
      'alice:zz',
    ]) {
      expect(outcome(wrap(bad), named)).toBe('signature-malformed 403')
    }
    for (const bad of ['', '!!', 'YWI', 'a'.repeat(100_000), '/w==']) {
      expect(outcome(carrying(bad), named)).toBe('signature-malformed 403')
    }
  })

  it('PA-10 hex in lower case alone', () => {
    const options: FlaskHmacOptions = { ...body, encoding: 'hex' }
    const value = mac('').digest('hex')
    expect(outcome(carrying(value), options)).toBe('ok')
    for (const bad of [value.toUpperCase(), `${value}00`, `${value}zz`, value.slice(2)]) {
      expect(outcome(carrying(bad), options)).toBe('signature-malformed 403')
    }
  })

  it('3.13 every request for ever, and names all that is left open', () => {
    const warnings = (message: RequestMessage, options: FlaskHmacOptions, policy: Policy = {}) => {
      const verdict = judge(message, options, { policy })
      return verdict.ok ? verdict.warnings : verdict.reason
    }
    const bare = ['host-uncovered', 'method-uncovered', 'replayable']
    const ofPath = signed(get('/orders'), path)
    const elsewhere = { ...signed(get('/orders?page=2'), path), method: 'DELETE' }
    expect(warnings(ofPath, path)).toEqual(bare)
    expect(warnings(elsewhere, path)).toEqual([...bare, 'query-uncovered'])
    const withBody = signed(get('/orders', { method: 'POST', body: 'x' }), path)
    expect(warnings(withBody, path)).toEqual([...bare, 'content-uncovered'])
    expect(warnings(withBody, path, { digest: 'required' })).toBe('digest-missing')
    expect(warnings(signed(get('/orders'), body), body)).toEqual([...bare, 'path-uncovered'])
    expect(warnings(signed(get('/orders'), body), body, { covers: ['@path'] })).toBe('coverage-missing')
  })

  it('a form under the signature of nothing only where told to', () => {
    const value = mac('').digest('base64')
    for (const type of ['application/x-www-form-urlencoded', 'Multipart/Form-Data; boundary=B']) {
      const message = requestMessage({
        method: 'POST',
        url: '/orders',
        headers: { ...headers, 'Content-Type': type, Signature: value },
        body: 'amount=10',
      })
      expect(outcome(message, body)).toBe('coverage-missing 403')
      const verdict = judge(message, { ...body, compatible: ['unsigned-forms'] })
      expect(verdict.ok && verdict.warnings).toEqual([
        'host-uncovered',
        'method-uncovered',
        'replayable',
        'path-uncovered',
        'compatible',
        'content-uncovered',
      ])
      const { target } = message
      expect(outcome({ ...message, body: undefined }, body)).toBe('ok')
      expect(target).toBe('/orders')
    }
  })

  it.each([
    ['/a/b', '/a%2fb', 'escaped-separators'],
    ['/a;b', '/a%3Bb', 'escaped-separators'],
    ['/a/b', '//a/b', 'leading-slashes'],
  ] as const)('the signature of %s on %s only with %s', (signedPath, other, form) => {
    const value = signed(get(signedPath), path).fields.at(-1) ?? ''
    const message = get(other, { headers: { ...headers, HMAC: value } })
    expect(outcome(message, path)).toBe('component-missing 403')
    const verdict = judge(message, { ...path, compatible: [form] })
    expect(verdict.ok && verdict.warnings.includes('compatible')).toBe(true)
  })

  it('no malformed escape in a path, which would read like %25', () => {
    const value = signed(get('/100%25'), path).fields.at(-1) ?? ''
    for (const bad of ['/100%', '/100%2', '/100%zz']) {
      const message = get(bad, { headers: { ...headers, HMAC: value } })
      expect(outcome(message, path)).toBe('component-missing 403')
    }
  })

  it('no field of RFC 9421, which has the same name', () => {
    const message = get('/orders')
    const patch = createSigner({ scheme: rfc9421(), credential: plain }).signSync(message)
    const both = createVerifier({ schemes: [flaskHmac(body), rfc9421()], credentials: () => plain })
    expect(both.verifySync(applyPatch(message, patch))).toMatchObject({ ok: true, scheme: 'rfc9421' })
    expect(flaskHmac(body).read(applyPatch(message, patch))).toBeUndefined()
    expect(both.verifySync(signed(message, body))).toMatchObject({ ok: true, scheme: 'flask-hmac' })
  })

  it('no unknown option', () => {
    const bad: readonly object[] = [
      {},
      { variant: 'header' },
      { variant: '__proto__' },
      { variant: 'path', header: 'a b' },
      { variant: 'path', digest: 'md5' },
      { variant: 'path', encoding: 'base32' },
      { variant: 'path', keyId: '' },
      { variant: 'path', compatible: ['unsigned-forms'] },
      { variant: 'body-base64', compatible: ['leading-slashes'] },
    ]
    for (const options of bad) {
      // Wrong on purpose.
      expect(() => flaskHmac(options as FlaskHmacOptions)).toThrow(/^flaskHmac [a-zA-Z]+: expected /)
    }
  })

  it('nothing that makes it throw', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.stringMatching(/^[A-Za-z0-9+/_=:-]*$/),
    )
    fc.assert(
      fc.property(
        value,
        fc.constantFrom<FlaskHmacVariant>('path', 'body-base64url', 'named-base64'),
        (text, variant) => {
          const message = carrying(text, 'X-Sig')
          expect(outcome(message, { variant, header: 'X-Sig' })).toMatch(/ 403$/)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
