import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, type RequestMessageInput, requestMessage } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import type { Policy } from '../../policy/policy.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import type { NonceStore } from '../../replay/nonce-store.ts'
import { createSigner } from '../../signer/signer.ts'
import { memoryNonces } from '../../stores/memory.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { isOauthMacClaim } from './claim.ts'
import { oauthMac } from './oauth-mac.ts'
import type { OauthMacOptions } from './options.ts'

const now = 1_700_000_000
const alice: Credential = { id: 'alice', secret: 'a secret that only the tests know' }
const bob: Credential = { id: 'bob', secret: 'another one that bob knows' }
const django = { profile: 'django-auth-mac' } as const
const url = 'https://api.example.com/orders/7?draft=1'

function sign(
  input: RequestMessageInput,
  options: OauthMacOptions = {},
  { credential = alice, at = now } = {},
): RequestMessage {
  const message = requestMessage(input)
  const signer = createSigner({ scheme: oauthMac(options), credential, clock: () => at })
  return applyPatch(message, signer.signSync(message))
}

interface Stand {
  readonly at?: number
  readonly nonces?: NonceStore
  readonly policy?: Policy
}

function judge(message: RequestMessage, options: OauthMacOptions = {}, stand: Stand = {}): Verdict {
  const { at = now, nonces, policy } = stand
  return createVerifier({
    schemes: [oauthMac(options)],
    credentials: (keyId) => [alice, bob].find(({ id }) => id === keyId),
    clock: () => at,
    ...(nonces === undefined ? {} : { nonces }),
    ...(policy === undefined ? {} : { policy }),
  }).verifySync(message)
}

const outcome = (...args: Parameters<typeof judge>): string => {
  const verdict = judge(...args)
  return verdict.ok ? 'ok' : verdict.reason
}

/** The message with its Authorization value changed. */
function withValue(message: RequestMessage, change: (value: string) => string): RequestMessage {
  const at = message.fields.indexOf('Authorization') + 1
  return { ...message, fields: message.fields.with(at, change(message.fields[at] ?? '')) }
}

const get = (authorization: string, target = url): RequestMessage =>
  requestMessage({ url: target, headers: { authorization } })

describe('oauth-mac reads', () => {
  it.each([
    [
      'PA-19 a parameter whose name ends in a known one',
      'MAC xid="a", id="alice", ts="1", nonce="n", mac="YQ=="',
    ],
    ['PA-19 evilmac', 'MAC id="alice", ts="1", nonce="n", evilmac="YQ=="'],
    ['PA-20 __proto__', 'MAC __proto__="a", id="alice", ts="1", nonce="n", mac="YQ=="'],
    ['PA-21 blanks without end', `MAC ${' '.repeat(9000)}id="alice"`],
    ['PA-29 an id without end', `MAC id="${'a'.repeat(257)}", ts="1", nonce="n", mac="YQ=="`],
    ['PA-29 an empty id', 'MAC id="", ts="1", nonce="n", mac="YQ=="'],
    ['RP-09 a nonce without end', `MAC id="alice", ts="1", nonce="${'n'.repeat(129)}", mac="YQ=="`],
    ['RP-09 a nonce beyond ASCII', 'MAC id="alice", ts="1", nonce="\xe9", mac="YQ=="'],
    ['a backslash', 'MAC id="a\\"", ts="1", nonce="n", mac="YQ=="'],
    ['PA-08 a mac in another alphabet', 'MAC id="alice", ts="1", nonce="n", mac="a-_="'],
    ['PA-07 a mac with set bits behind its end', 'MAC id="alice", ts="1", nonce="n", mac="YR=="'],
    ['PA-14 its name in lower case', 'mac id="alice", ts="1", nonce="n", mac="YQ=="'],
    ['an empty parameter', 'MAC id="alice",, ts="1", nonce="n", mac="YQ=="'],
    ['a comma at the end', 'MAC id="alice", ts="1", nonce="n", mac="YQ==",'],
  ])('%s as malformed', (_name, value) => {
    expect(outcome(get(value))).toBe('signature-malformed')
  })

  it.each(['abc', 'NaN', 'inf', '1e400', '0x10', '1_0', '+5', ' 5', '-1', '01', '0', '1.0', '1700000000000'])(
    'TI-04 ts="%s" as malformed, never as fresh',
    (ts) => {
      expect(outcome(get(`MAC id="alice", ts="${ts}", nonce="n", mac="YQ=="`))).toBe('signature-malformed')
    },
  )

  it('PA-12 two Authorization lines as malformed, whichever is good', () => {
    const signed = sign({ url })
    for (const other of ['MAC', 'Basic Zm9v', signed.fields[signed.fields.length - 1] ?? '']) {
      const fields = ['Authorization', other, ...signed.fields]
      expect(outcome({ ...signed, fields })).toBe('signature-malformed')
    }
    expect(outcome(get('Macaroon x'))).toBe('signature-absent')
  })

  it('anything at all without throwing', () => {
    const piece = fc.constantFrom(
      'MAC ',
      'id="',
      'ts="1"',
      'nonce=',
      '"',
      ',',
      ';',
      ' ',
      '\\',
      '=',
      'é',
      '\0',
    )
    const value = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 40 }).map((all) => `MAC ${all.join('')}`),
    )
    const compatible = fc.subarray([
      'any-time',
      'loose-separators',
      'loose-timestamp',
      'unknown-parameters',
    ] as const)
    fc.assert(
      fc.property(value, compatible, (text, names) => {
        expect(judge(get(text), { compatible: names }).ok).toBe(false)
      }),
    )
  })
})

describe('oauth-mac signs and verifies', () => {
  const plain = fc.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,40}$/)
  const input = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'M-SEARCH', 'patch'),
    host: fc.constantFrom('api.example.com', 'API.example.com', '192.0.2.7', 'a.example:8443'),
    path: fc.stringMatching(/^(\/[a-zA-Z0-9._~!$&'()*+,;=:@-]{0,8}){1,3}$/),
    query: fc.option(fc.stringMatching(/^[a-z0-9=&?/%+]{0,12}$/), { nil: undefined }),
  })

  it.each([['draft-01'], ['django-auth-mac']] as const)('4.14 any request: %s', (profile) => {
    fc.assert(
      fc.property(input, plain, plain, fc.boolean(), (request, id, ext, sha1) => {
        const { method, host, path, query } = request
        const credential = { ...alice, id, algorithm: sha1 ? 'hmac-sha1' : 'hmac-sha256' }
        const target = `https://${host}${path}${query === undefined ? '' : `?${query}`}`
        const options = { profile, ext }
        const signed = sign({ method, url: target }, options, { credential })
        const verifier = createVerifier({
          schemes: [oauthMac({ profile })],
          credentials: () => credential,
          clock: () => now,
        })
        const verdict = verifier.verifySync(signed)
        expect(verdict.ok && isOauthMacClaim(verdict.claim) && verdict.claim.ext).toBe(ext)
      }),
    )
  })

  it('4.01 an ext by request, and none where it gives none', () => {
    const ext = ({ method }: RequestMessage) => (method === 'POST' ? 'order=7' : undefined)
    expect(sign({ url, method: 'POST' }, { ext }).fields.join()).toContain(', ext="order=7", mac="')
    expect(sign({ url }, { ext }).fields.join()).not.toContain('ext=')
    expect(() => sign({ url }, { ext: () => 'a"b' })).toThrow(/ext/)
  })

  it('4.03 under the algorithm of the credential, and no other', () => {
    const sha1 = { ...alice, algorithm: 'hmac-sha1' }
    expect(outcome(sign({ url }))).toBe('ok')
    expect(outcome(sign({ url }, {}, { credential: sha1 }))).toBe('signature-mismatch')
    expect(outcome(sign({ url }, django, { credential: sha1 }), django)).toBe('ok')
    expect(
      outcome(sign({ url }, django, { credential: { ...alice, algorithm: 'hmac-sha256' } }), django),
    ).toBe('signature-mismatch')
  })

  it('4.21 the whole target, host and port in draft-01', () => {
    const signed = sign({ url })
    for (const [target, host] of [
      ['/orders/7?draft=2', 'api.example.com'],
      ['/orders/7', 'api.example.com'],
      ['/orders/%37?draft=1', 'api.example.com'],
      ['/orders/7?draft=1', 'api.example.com:8443'],
      ['/orders/7?draft=1', 'api.example.org'],
    ] as const) {
      const moved = requestMessage({ url: `https://${host}${target}` })
      expect(outcome({ ...moved, fields: signed.fields })).toBe('signature-mismatch')
    }
    const spelled = requestMessage({ url: 'https://API.example.com:443/orders/7?draft=1' })
    expect(outcome({ ...spelled, fields: signed.fields })).toBe('ok')
  })

  it('CA-53 an IPv6 host and its port in draft-01, and not as django-auth-mac', () => {
    const input = { url: 'http://[::1]:8443/a' }
    const scheme = oauthMac()
    const signed = sign(input)
    const claims = scheme.read(signed)
    const [claim] = claims === undefined || isRefusal(claims) || !('length' in claims) ? [] : claims
    if (claim === undefined) throw new Error('the signature just made cannot be read')
    expect(scheme.base(signed, claim, { limitBytes: 0 })).toMatchObject({
      text: expect.stringContaining('\nGET\n/a\n[::1]\n8443\n\n'),
    })
    expect(outcome(signed)).toBe('ok')
    expect(() => sign(input, django)).toThrow(/IPv6/)
    expect(outcome(signed, django)).toBe('component-missing')
  })

  it('a method in upper or lower case, and none that mixes them', () => {
    const signed = sign({ url, method: 'put' })
    expect(outcome(signed)).toBe('ok')
    expect(outcome({ ...signed, method: 'PUT' })).toBe('ok')
    expect(outcome({ ...signed, method: 'Put' })).toBe('component-missing')
    expect(() => sign({ url, method: 'Put' })).toThrow(/case/)
  })

  it.each([
    ['/a%2', 'two hex digits'],
    ['/a%zz', 'two hex digits'],
    ['/a%0Ab', 'printable ASCII'],
    ['/caf%C3%A9', 'printable ASCII'],
    ['/a%2Fb', 'escaped slash'],
  ])('as django-auth-mac no path that its decoded form does not say: %s', (path, detail) => {
    const input = { url: `https://api.example.com${path}` }
    expect(() => sign(input, django)).toThrow(detail)
    const refused = judge({ ...requestMessage(input), fields: sign({ url }, django).fields }, django)
    expect(refused).toMatchObject({ reason: 'component-missing', detail: expect.stringContaining(detail) })
  })

  it('4.05 an ext, and leaves it out only where old clients do', () => {
    const added = withValue(sign({ url }, django), (value) => `${value}, ext="x"`)
    expect(outcome(added, django)).toBe('signature-mismatch')
    const unsigned = { ...django, compatible: ['unsigned-ext'] } as const
    expect(judge(added, unsigned)).toMatchObject({
      ok: true,
      warnings: expect.arrayContaining(['compatible']),
    })
    expect(outcome(sign({ url }, { ...unsigned, ext: 'x' }), unsigned)).toBe('signature-mismatch')
    expect(outcome(sign({ url }, { ...unsigned, ext: 'x' }), django)).toBe('ok')
    const without = judge(sign({ url }, unsigned), unsigned)
    expect(without.ok && without.warnings).toEqual(['query-uncovered', 'weak-algorithm'])
  })

  it('names what it leaves open', () => {
    const warnings = (input: RequestMessageInput, options: OauthMacOptions = {}) => {
      const verdict = judge(sign(input, options), options)
      return verdict.ok ? verdict.warnings : verdict.reason
    }
    expect(warnings({ url })).toEqual([])
    expect(warnings({ url, method: 'POST', body: 'x' })).toEqual(['content-uncovered'])
    expect(warnings({ url: 'https://a.example/x' }, django)).toEqual(['weak-algorithm'])
    expect(warnings({ url, method: 'POST', body: 'x' }, django)).toEqual([
      'content-uncovered',
      'query-uncovered',
      'weak-algorithm',
    ])
    const strict = judge(sign({ url, method: 'POST', body: 'x' }), {}, { policy: { digest: 'required' } })
    expect(strict).toMatchObject({ reason: 'digest-missing' })
  })
})

describe('4.08 the challenge of oauth-mac', () => {
  const challenge = (verdict: Verdict): unknown => (verdict.ok ? 'accepted' : verdict.headers)
  const error = (text: string) => [['WWW-Authenticate', `MAC error="${text}"`]]

  it('is the bare scheme without a signature, and the text of the original where that tells nothing', () => {
    expect(challenge(judge(requestMessage({ url })))).toEqual([['WWW-Authenticate', 'MAC']])
    const lacking = judge(get('MAC id="alice", ts="1", mac="YQ=="'))
    expect(challenge(lacking)).toEqual(error('Missing authorisation information'))
    const nonces = memoryNonces({ clock: () => now })
    const signed = sign({ url })
    expect(outcome(signed, {}, { nonces })).toBe('ok')
    expect(challenge(judge(signed, {}, { nonces }))).toEqual(error('Duplicate nonce'))
    expect(challenge(judge(signed, {}, { at: now + 301 }))).toEqual(error('The signature is too old.'))
  })

  it('has one face for an unknown, an ended and a wrong key, whatever else is wrong with the request', () => {
    const ended = { ...alice, expiresAt: now - 1 }
    const faces = (message: RequestMessage, options: OauthMacOptions): readonly unknown[] =>
      [undefined, alice, ended].map((credential) => {
        const verifier = createVerifier({
          schemes: [oauthMac(options)],
          credentials: () => credential,
          clock: () => now,
        })
        const verdict = verifier.verifySync(message)
        return [verdict.ok, challenge(verdict)]
      })
    const forged = sign({ url }, {}, { credential: { ...alice, secret: 'a guess' } })
    const odd: readonly RequestMessage[] = [
      forged,
      withValue(forged, (value) => value.replace(/mac="[^"]*"/, 'mac="nonsense"')),
      withValue(forged, (value) => value.replace(/mac="[^"]*"/, 'mac="!"')),
      { ...forged, method: 'Get' },
      { ...requestMessage({ url: 'https://api.example.com/a%2Fb' }), fields: forged.fields },
      { ...requestMessage({ url: 'https://[::1]/' }), fields: forged.fields },
    ]
    for (const options of [{}, django]) {
      for (const message of odd) {
        const [unknown, ...others] = faces(message, options)
        expect(others).toEqual([unknown, unknown])
      }
    }
    expect(challenge(judge(forged))).toEqual(error('Invalid MAC credentials'))
  })
})

describe('the options of oauth-mac', () => {
  it.each([
    [{ port: 80 }, /port/],
    [{ ...django, port: 0 }, /port/],
    [{ ...django, port: 65_536 }, /port/],
    [{ rememberSeconds: 86_400 }, /rememberSeconds/],
    [{ compatible: ['any-time'], rememberSeconds: 3599 }, /rememberSeconds/],
    [{ compatible: ['encoded-slash'] }, /compatible/],
    [{ compatible: ['unsigned-ext'] }, /compatible/],
    [{ ext: 'a"' }, /ext/],
    [{ ext: '' }, /ext/],
  ] satisfies readonly (readonly [OauthMacOptions, RegExp])[])('%j cannot work', (options, text) => {
    expect(() => oauthMac(options)).toThrow(text)
  })

  it('names that are none cannot work', () => {
    const untyped: object = { profile: 'draft-02' }
    expect(() => oauthMac(untyped)).toThrow(/profile/)
    const other: object = { compatible: ['everything'] }
    expect(() => oauthMac(other)).toThrow(/compatible/)
  })

  it.each(['', 'a"b', 'é', 'a'.repeat(257)])('no signer has the id %j', (id) => {
    expect(() => sign({ url }, {}, { credential: { ...alice, id } })).toThrow(/credential/)
  })
})
