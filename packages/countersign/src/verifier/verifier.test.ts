import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../credentials/credential.ts'
import { type RequestMessage, type RequestMessageInput, requestMessage } from '../message/message.ts'
import { applyPatch } from '../message/patch.ts'
import type { Policy } from '../policy/policy.ts'
import type { Rfc9421Options } from '../schemes/rfc9421/options.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import { ustudioHmac } from '../schemes/ustudio-hmac.ts'
import { createSigner } from '../signer/signer.ts'
import { createVerifier, type VerifierOptions } from './verifier.ts'

const now = 1_795_000_000
const alice: Credential = { id: 'alice', secret: 'a secret that only the tests know', rights: ['view'] }
const mallory: Credential = { id: 'mallory', secret: 'another one that mallory knows' }
const post: RequestMessageInput = {
  method: 'POST',
  url: 'https://api.example.com/orders?draft=1',
  headers: { 'content-type': 'application/json' },
  body: '{"amount":1}',
}

function verifier(options: Partial<VerifierOptions> = {}) {
  return createVerifier({
    schemes: [rfc9421()],
    credentials: (keyId) => [alice, mallory].find(({ id }) => id === keyId),
    clock: () => now,
    ...options,
  })
}

/** A nonce store that shows what it holds. */
function nonces() {
  const held = new Set<string>()
  return {
    held,
    record: (nonce: string): 'fresh' | 'seen' => {
      if (held.has(nonce)) return 'seen'
      held.add(nonce)
      return 'fresh'
    },
  }
}

interface Signing {
  readonly by?: Credential
  readonly at?: number
  readonly scheme?: Rfc9421Options
}

/** Signs a request as `by` and gives it as it would arrive, with `change` made on the way. */
function arriving(
  input: RequestMessageInput,
  signing: Signing = {},
  change: Partial<RequestMessageInput> = {},
): RequestMessage {
  const signer = createSigner({
    scheme: rfc9421(signing.scheme ?? {}),
    credential: signing.by ?? alice,
    clock: () => signing.at ?? now,
  })
  const message = requestMessage(input)
  const { fields } = applyPatch(message, signer.signSync(message))
  return requestMessage({ ...input, headers: pairs(fields), ...change })
}

function pairs(lines: readonly string[]): [string, string][] {
  const result: [string, string][] = []
  for (let i = 0; i + 1 < lines.length; i += 2) result.push([lines[i] ?? '', lines[i + 1] ?? ''])
  return result
}

/** `ok`, or the reason of the refusal. */
function outcome(
  message: RequestMessage,
  options: Partial<VerifierOptions> = {},
  rights: readonly string[] = [],
): string {
  const verdict = verifier(options).verifySync(message, { rights })
  return verdict.ok ? 'ok' : verdict.reason
}

describe('a verdict', () => {
  it('names the caller and what was signed', async () => {
    const verdict = await verifier().verify(arriving(post))
    expect(verdict).toMatchObject({ ok: true, scheme: 'rfc9421', credential: { id: 'alice' } })
    expect(verdict.ok && verdict.claim.covers).toEqual([
      '@method',
      '@target-uri',
      'content-digest',
      'content-type',
    ])
  })

  it('warns of what a scheme cannot protect', () => {
    const schemes = [ustudioHmac()]
    const message = requestMessage({ url: 'https://api.example.com/orders' })
    const signed = applyPatch(
      message,
      createSigner({ scheme: ustudioHmac(), credential: alice }).signSync(message),
    )
    expect(verifier({ schemes }).verifySync(signed)).toMatchObject({
      ok: true,
      warnings: ['host-uncovered', 'replayable'],
    })
    expect(verifier().verifySync(arriving(post))).toMatchObject({ ok: true, warnings: [] })
  })

  it('shows no secret, however it is printed', () => {
    const verdict = verifier().verifySync(arriving(post))
    for (const text of [JSON.stringify(verdict), inspect(verdict, { depth: 9 })])
      expect(text).not.toContain('only the tests know')
  })

  it.each([
    ['method', { method: 'PUT' }],
    ['query', { url: 'https://api.example.com/orders?draft=2' }],
    ['path', { url: 'https://api.example.com/order?draft=1' }],
    ['host', { url: 'https://api.example.org/orders?draft=1' }],
  ])('refuses another %s', (_, change) => {
    expect(outcome(arriving(post, {}, change))).toBe('signature-mismatch')
  })

  it('PO-07 refuses another body, a longer one and none', () => {
    for (const body of ['{"amount":2}', '{"amount":1} ', '']) {
      expect(outcome(arriving(post, {}, { body }))).toBe('digest-mismatch')
    }
  })

  it('gives strangers one face for an unknown key and a wrong signature', () => {
    const stranger = { id: 'nobody', secret: 'whatever' }
    const impostor = { id: 'alice', secret: 'a guess' }
    const [unknown, wrong] = [stranger, impostor].map((by) => verifier().verifySync(arriving(post, { by })))
    expect(unknown).toMatchObject({ ok: false, reason: 'credential-unknown', status: 401 })
    expect(wrong).toMatchObject({ ok: false, reason: 'signature-mismatch', status: 401 })
    expect(!unknown?.ok && unknown?.headers).toEqual(!wrong?.ok && wrong?.headers)
  })

  it('asks for a MAC for an unknown key too, so that the clock does not tell it apart', async () => {
    const { entries } = await verifier().trace(arriving(post, { by: { id: 'nobody', secret: 'whatever' } }))
    expect(entries.map(({ kind }) => kind)).toEqual(['credential', 'mac'])
  })

  it('carries a challenge that says what to cover', () => {
    const verdict = verifier().verifySync(requestMessage(post))
    expect(!verdict.ok && verdict.headers).toEqual([
      ['WWW-Authenticate', 'HTTP-Message-Signatures'],
      ['Accept-Signature', 'sig1=("@method" "@target-uri" "content-digest");created;keyid;nonce'],
    ])
  })

  it('refuses a message that cannot be judged with 400', () => {
    const message = requestMessage({
      url: 'https://a.example/',
      headers: [
        ['host', 'a.example'],
        ['host', 'b.example'],
      ],
    })
    expect(verifier().verifySync(message)).toMatchObject({ reason: 'message-malformed', status: 400 })
  })
})

describe('the time window', () => {
  it.each([
    ['TI-03 exactly as old as accepted', -300, 'ok'],
    ['TI-01 one second older', -301, 'created-stale'],
    ['TI-03 exactly as far ahead as tolerated', 30, 'ok'],
    ['TI-02 one second further ahead', 31, 'created-in-future'],
  ])('%s', (_, offset, expected) => {
    expect(outcome(arriving(post, { at: now + offset }))).toBe(expected)
  })

  it('takes 0 as 0', () => {
    const policy: Policy = { maxAgeSeconds: 0, skewSeconds: 0 }
    expect(outcome(arriving(post), { policy })).toBe('ok')
    expect(outcome(arriving(post, { at: now - 1 }), { policy })).toBe('created-stale')
    expect(outcome(arriving(post, { at: now + 1 }), { policy })).toBe('created-in-future')
  })

  it('TI-11 refuses a signature one second past its expiry', () => {
    const scheme = { expiresInSeconds: 10 }
    expect(outcome(arriving(post, { at: now - 10, scheme }))).toBe('ok')
    expect(outcome(arriving(post, { at: now - 11, scheme }))).toBe('expired')
  })

  it.each([-1, Number.NaN, 1.5, 1e9])('TI-19 refuses %s as an age at creation', (maxAgeSeconds) => {
    expect(() => verifier({ policy: { maxAgeSeconds } })).toThrow(/policy.maxAgeSeconds/)
  })
})

describe('coverage', () => {
  it.each([
    ['PO-01 nothing covered', [], 'coverage-missing'],
    ['PO-02 no method', ['@target-uri', 'content-digest'], 'coverage-missing'],
    ['PO-03 no authority', ['@method', '@path', '@query', 'content-digest'], 'coverage-missing'],
    [
      'PO-04 a query that is not covered',
      ['@method', '@authority', '@path', 'content-digest'],
      'coverage-missing',
    ],
    [
      'PO-17 one parameter for the query',
      ['@method', '@authority', '@path', '"@query-param";name="draft"', 'content-digest'],
      'coverage-missing',
    ],
    ['PO-17 the digest only as bytes', ['@method', '@target-uri', '"content-digest";bs'], 'digest-missing'],
    ['PO-05 content without a digest', ['@method', '@target-uri'], 'digest-missing'],
    ['the parts of the target', ['@method', '@authority', '@path', '@query', 'content-digest'], 'ok'],
    [
      'the request target and the authority',
      ['@method', '@authority', '@request-target', 'content-digest'],
      'ok',
    ],
  ])('%s', (_, covers, expected) => {
    const headers = { 'content-digest': 'sha-256=:AAAA:' }
    expect(outcome(arriving({ ...post, headers }, { scheme: { covers } }))).toBe(expected)
  })

  it('PO-06 does not count a digest that is there and not covered', () => {
    const message = arriving(post, { scheme: { covers: ['@method', '@target-uri'] } })
    const digest = arriving(post).fields.lastIndexOf('Content-Digest')
    const value = arriving(post).fields[digest + 1] ?? ''
    expect(outcome({ ...message, fields: [...message.fields, 'Content-Digest', value] })).toBe(
      'digest-missing',
    )
  })

  it('PO-12 wants a digest of content on any method', () => {
    for (const method of ['GET', 'DELETE', 'HEAD', 'OPTIONS', 'QUERY']) {
      const message = arriving({ ...post, method }, { scheme: { covers: ['@method', '@target-uri'] } })
      expect(outcome(message)).toBe('digest-missing')
    }
  })

  it('requires by method what the policy says by method', () => {
    const policy: Policy = { covers: { POST: ['@method', 'x-request-id'], '*': ['@method'] } }
    const get = { url: 'https://api.example.com/', method: 'GET' }
    expect(outcome(arriving(post), { policy })).toBe('coverage-missing')
    expect(outcome(arriving(get), { policy })).toBe('ok')
  })
})

describe('the credential', () => {
  const asOf = (credential: Credential) => outcome(arriving(post), { credentials: () => credential })
  it.each([
    ['inactive', { active: false }, 'credential-inactive'],
    ['not valid yet', { notBeforeAt: now + 1 }, 'credential-inactive'],
    ['past its end', { expiresAt: now - 1 }, 'credential-expired'],
    ['in its last second', { expiresAt: now }, 'ok'],
  ])('%s', (_, state, expected) => {
    expect(asOf({ ...alice, ...state })).toBe(expected)
  })

  it('KL-20 verifies under every live secret of a rotation and under no dead one', () => {
    const old = { secret: alice.secret ?? '', expiresAt: now, version: 1 }
    const fresh = { secret: 'the secret after the rotation', version: 2 }
    const { id } = alice
    expect(asOf({ id, secrets: [old, fresh] })).toBe('ok')
    expect(asOf({ id, secrets: [{ ...old, expiresAt: now - 1 }, fresh] })).toBe('signature-mismatch')
    expect(asOf({ id, secrets: [{ ...old, expiresAt: now - 1 }] })).toBe('credential-expired')
    expect(asOf({ id, secrets: [fresh, { ...old, expiresAt: now + 9, notBeforeAt: now + 1 }] })).toBe(
      'signature-mismatch',
    )
  })

  it('CR-02 is bound to its algorithm, whatever the message names', () => {
    const named = arriving(post, { scheme: { alg: true } })
    expect(outcome(named)).toBe('ok')
    const renamed = named.fields.map((value) => value.replace('alg="hmac-sha256"', 'alg="ed25519"'))
    expect(outcome({ ...named, fields: renamed })).toBe('algorithm-refused')
    expect(outcome(named, { policy: { algorithms: ['ed25519'] } })).toBe('algorithm-refused')
  })

  it('KL-18 is found by the key id and never by the label', () => {
    const message = arriving(post, { by: mallory, scheme: { label: 'alice' } })
    const verdict = verifier().verifySync(message)
    expect(verdict.ok && verdict.credential.id).toBe('mallory')
  })

  it('answers 503 where the store fails, and repeats nothing of the failure', () => {
    const failing = () => {
      throw new Error('password=hunter2')
    }
    const verdict = verifier({ credentials: failing }).verifySync(arriving(post))
    expect(verdict).toMatchObject({
      ok: false,
      reason: 'store-unavailable',
      status: 503,
      headers: [['Retry-After', '1']],
    })
    expect(JSON.stringify(verdict)).not.toContain('hunter2')
  })

  it('KL-08 is looked at again where the content was still arriving', async () => {
    let revoked = false
    const body = {
      kind: 'body-source' as const,
      bytes: async () => {
        revoked = true
        return new TextEncoder().encode('{"amount":1}')
      },
    }
    const verdict = await verifier({ credentials: () => ({ ...alice, active: !revoked }) }).verify(
      arriving(post, {}, { body }),
    )
    expect(verdict).toMatchObject({ ok: false, reason: 'credential-inactive' })
  })
})

describe('replay', () => {
  it('RP-01 accepts a nonce once', () => {
    const store = nonces()
    const message = arriving(post)
    expect(outcome(message, { nonces: store })).toBe('ok')
    expect(outcome(message, { nonces: store })).toBe('replayed')
  })

  it('RP-06, RP-07 records nothing before proof and content are checked', () => {
    const store = nonces()
    expect(outcome(arriving(post, { by: { id: 'alice', secret: 'a guess' } }), { nonces: store })).toBe(
      'signature-mismatch',
    )
    expect(outcome(arriving(post, {}, { body: 'other' }), { nonces: store })).toBe('digest-mismatch')
    expect(store.held.size).toBe(0)
  })

  it('RP-08 wants a nonce where there is a store', () => {
    const message = arriving(post, { scheme: { nonce: false } })
    expect(outcome(message, { nonces: nonces() })).toBe('nonce-missing')
    expect(outcome(message, { nonces: nonces(), policy: { nonce: 'if-present' } })).toBe('ok')
    expect(outcome(message)).toBe('ok')
  })

  it('answers 503 where the nonce store fails', () => {
    const full = { record: () => Promise.reject(new Error('full')) }
    return expect(verifier({ nonces: full }).verify(arriving(post))).resolves.toMatchObject({
      reason: 'store-unavailable',
    })
  })

  it('remembers a nonce two skews longer than the window', () => {
    let until = 0
    const store = {
      record: (_: string, expiresAt: number): 'fresh' => {
        until = expiresAt
        return 'fresh'
      },
    }
    expect(outcome(arriving(post, { at: now - 7 }), { nonces: store })).toBe('ok')
    expect(until).toBe(now - 7 + 300 + 2 * 30)
  })
})

describe('rights', () => {
  it('PO-22 are looked at last, with 403', () => {
    const store = nonces()
    const message = arriving(post)
    expect(verifier({ nonces: store }).verifySync(message, { rights: ['view', 'create'] })).toMatchObject({
      reason: 'right-missing',
      status: 403,
      headers: [],
    })
    expect(store.held.size).toBe(1)
    expect(outcome(arriving(post), {}, ['view'])).toBe('ok')
  })
})

describe('several signatures', () => {
  const twice = (first: Credential, second: Credential): RequestMessage => {
    const once = arriving(post, { by: first, scheme: { label: 'one' } })
    const signer = createSigner({ scheme: rfc9421({ label: 'two' }), credential: second, clock: () => now })
    return applyPatch(once, signer.signSync(once))
  }
  const junk = { id: 'alice', secret: 'a guess' }

  it.each([
    ['PO-19 junk in front', twice(junk, mallory), 'any', 'mallory'],
    ['PO-19 junk behind', twice(mallory, junk), 'any', 'mallory'],
    ['all good', twice(alice, mallory), 'all', 'alice'],
    ['one bad of all', twice(alice, junk), 'all', 'signature-mismatch'],
    ['the label asked for', twice(alice, mallory), { label: 'two' }, 'mallory'],
    ['a bad one of the label asked for', twice(mallory, junk), { label: 'two' }, 'signature-mismatch'],
    ['no such label', twice(alice, mallory), { label: 'three' }, 'signature-absent'],
  ] as const)('%s', (_, message, signatures, expected) => {
    const verdict = verifier({ policy: { signatures } }).verifySync(message)
    expect(verdict.ok ? verdict.credential.id : verdict.reason).toBe(expected)
  })

  it('PO-20 judges no more than eight', () => {
    const one = arriving(post)
    const input = (one.fields[one.fields.indexOf('Signature-Input') + 1] ?? '').slice('sig1='.length)
    const value = (one.fields[one.fields.indexOf('Signature') + 1] ?? '').slice('sig1='.length)
    const many = (count: number, text: string) =>
      Array.from({ length: count }, (_, i) => `s${i}=${text}`).join(', ')
    const fields = (count: number) => [
      ...one.fields.slice(0, -4),
      'Signature-Input',
      many(count, input),
      'Signature',
      many(count, value),
    ]
    expect(outcome({ ...one, fields: fields(8) })).toBe('ok')
    expect(outcome({ ...one, fields: fields(9) })).toBe('signature-malformed')
  })
})

describe('modes and calls', () => {
  it('say in the verdict whether it is enforced', () => {
    const modes = (['enforce', 'warn', 'observe', 'off'] as const).map((mode) => {
      const verdict = verifier({ policy: { mode } }).verifySync(requestMessage(post))
      return !verdict.ok && verdict.enforced
    })
    expect(modes).toEqual([true, false, false, false])
  })

  it('take a policy of their own for one call', () => {
    const strict = verifier()
    const policy: Policy = { maxAgeSeconds: 10 }
    const message = arriving(post, { at: now - 11 })
    expect(strict.verifySync(message).ok).toBe(true)
    expect(strict.verifySync(message, { policy })).toMatchObject({ reason: 'created-stale' })
  })

  it('refuse to be synchronous where a store is not', () => {
    const remote = verifier({ credentials: async () => alice })
    expect(() => remote.verifySync(arriving(post))).toThrow(
      expect.objectContaining({ code: 'sync-impossible' }),
    )
  })

  it('judge a WHATWG Request, and leave its body to the handler', async () => {
    const { fields } = arriving(post)
    const request = new Request(post.url, { method: 'POST', headers: pairs(fields), body: '{"amount":1}' })
    expect(await verifier().verify(request)).toMatchObject({ ok: true })
    expect(await request.text()).toBe('{"amount":1}')
  })

  it('survive a listener that throws', () => {
    const onVerdict = () => {
      throw new Error('disk full')
    }
    expect(outcome(arriving(post), { onVerdict })).toBe('ok')
  })
})
