import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../credentials/credential.ts'
import { backend as webBackend } from '../crypto/web.ts'
import { type RequestMessage, type RequestMessageInput, requestMessage } from '../message/message.ts'
import { applyPatch } from '../message/patch.ts'
import { replayToken } from '../replay/token.ts'
import type { Rfc9421Options } from '../schemes/rfc9421/options.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import { ustudioHmac } from '../schemes/ustudio-hmac.ts'
import { createSigner } from '../signer/signer.ts'
import { createVerifier, type VerifierOptions } from './verifier.ts'

// Attacks that an independent review ran against the verifier, each with its outcome and, where it matters, its good twin.

const now = 1_795_000_000
const alice: Credential = { id: 'alice', secret: 'a secret that only the tests know', rights: ['view'] }
const post: RequestMessageInput = {
  method: 'POST',
  url: 'https://api.example.com/orders',
  body: '{"amount":1}',
}

function verifier(options: Partial<VerifierOptions> = {}) {
  return createVerifier({
    schemes: [rfc9421()],
    credentials: (id) => (id === 'alice' ? alice : undefined),
    clock: () => now,
    ...options,
  })
}

function signed(
  message: RequestMessage,
  by: Credential = alice,
  options: Rfc9421Options = {},
  at = now,
): RequestMessage {
  return applyPatch(
    message,
    createSigner({ scheme: rfc9421(options), credential: by, clock: () => at }).signSync(message),
  )
}

function setOf() {
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

const reasonOf = (message: RequestMessage, options: Partial<VerifierOptions> = {}): string => {
  const verdict = verifier(options).verifySync(message)
  return verdict.ok ? 'ok' : verdict.reason
}

describe('answers that are not exact', () => {
  it('are waited for where the global Promise was replaced', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const signing = { id: 'alice', key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
    const verifying = { id: 'alice', key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
    const good = signed(requestMessage(post), signing)
    const forged = { ...good, method: 'PUT' }
    const judge = verifier({ credentials: () => verifying, backend: webBackend })
    const native = globalThis.Promise
    globalThis.Promise = class Replaced<T> extends native<T> {} as typeof Promise
    try {
      expect(await judge.verify(good)).toMatchObject({ ok: true })
      expect(await judge.verify(forged)).toMatchObject({ ok: false, reason: 'signature-mismatch' })
    } finally {
      globalThis.Promise = native
    }
  })

  it.each([undefined, false, true, 'SEEN', 1, null])('%s of a nonce store is not fresh', (answer) => {
    const store = { record: () => answer as never }
    expect(reasonOf(signed(requestMessage(post)), { nonces: store })).toBe('store-unavailable')
  })

  it('of a nonce store that is a thenable are waited for', async () => {
    // biome-ignore lint/suspicious/noThenProperty: a thenable that is no Promise is what is tested
    const store = { record: () => ({ then: (done: (answer: string) => void) => done('seen') }) as never }
    expect(await verifier({ nonces: store }).verify(signed(requestMessage(post)))).toMatchObject({
      reason: 'replayed',
    })
  })

  it.each([
    { active: 0 },
    { active: null },
    { active: 'false' },
    { expiresAt: 'yesterday' },
    { rights: 'view' },
    { id: 7 },
  ])('of a credential store are refused: %j', (wrong) => {
    const credentials = () => ({ ...alice, ...wrong }) as never
    expect(reasonOf(signed(requestMessage(post)), { credentials })).toBe('store-unavailable')
  })

  it('of a credential store about another key id are refused', () => {
    const message = signed(requestMessage(post), { ...alice, id: 'bob' })
    expect(reasonOf(message, { credentials: () => alice })).toBe('store-unavailable')
  })

  it('of a clock are refused', () => {
    expect(() => verifier({ clock: () => Number.NaN }).verifySync(requestMessage(post))).toThrow(/clock/)
  })

  it('show at once where a store changes its objects in place', () => {
    const mine = { ...alice, active: true, rights: ['view'] }
    const judge = verifier({ credentials: () => mine })
    const message = signed(requestMessage(post))
    expect(judge.verifySync(message, { rights: ['view'] }).ok).toBe(true)
    mine.rights.pop()
    expect(judge.verifySync(message, { rights: ['view'] })).toMatchObject({ reason: 'right-missing' })
    mine.active = false
    expect(judge.verifySync(message)).toMatchObject({ reason: 'credential-inactive' })
  })
})

describe('content', () => {
  it.each(['"content-digest";sf', '"content-digest";bs', '"content-digest";key="sha-256"'])(
    'is compared with a digest covered as %s, also where the policy does not require one',
    (id) => {
      const digest = signed(requestMessage(post)).fields.at(-5) ?? ''
      const message = requestMessage({ ...post, headers: { 'content-digest': digest } })
      const good = signed(message, alice, { covers: ['@method', '@target-uri', id] })
      const policy = { digest: 'if-covered' } as const
      expect(reasonOf(good, { policy })).toBe('ok')
      expect(reasonOf({ ...good, body: new TextEncoder().encode('{"amount":9}') }, { policy })).toBe(
        'digest-mismatch',
      )
    },
  )

  const slow = (during: () => void) => ({
    kind: 'body-source' as const,
    bytes: async () => {
      during()
      return new TextEncoder().encode('{"amount":1}')
    },
  })

  it.each([
    ['the right is taken away', { rights: [] }, 0, 'right-missing'],
    ['the secret is replaced', { secret: 'another secret of the tests' }, 0, 'signature-mismatch'],
    ['the credential expires', { expiresAt: now + 5 }, 10, 'credential-expired'],
    ['the signature grows too old', {}, 400, 'created-stale'],
    ['nothing happens', {}, 0, 'ok'],
  ])('that arrives slowly does not outlive its credential: %s', async (_, change, seconds, expected) => {
    let credential = alice
    let clock = now
    const body = slow(() => {
      credential = { ...alice, ...change }
      clock += seconds
    })
    const message = { ...signed(requestMessage(post)), body }
    const judge = verifier({ credentials: () => credential, clock: () => clock })
    const verdict = await judge.verify(message, { rights: ['view'] })
    expect(verdict.ok ? 'ok' : verdict.reason).toBe(expected)
  })
})

describe('several signatures on one message', () => {
  it('do not let it pass once for each of them', () => {
    const both = signed(signed(requestMessage(post), alice, { label: 'one' }), alice, { label: 'two' })
    const nonces = setOf()
    expect(reasonOf(both, { nonces })).toBe('ok')
    expect(reasonOf(both, { nonces })).toBe('replayed')
  })

  it('spend no nonce where all are wanted and a junk one was added', () => {
    const good = signed(requestMessage(post))
    const junk = good.fields.map((value, i) =>
      good.fields[i - 1] === 'Signature-Input'
        ? `${value}, z=("@method" "@target-uri" "content-digest");created=${now};keyid="nobody";nonce="q"`
        : good.fields[i - 1] === 'Signature'
          ? `${value}, z=:AAAA:`
          : value,
    )
    const nonces = setOf()
    const policy = { signatures: 'all' } as const
    expect(reasonOf({ ...good, fields: junk }, { nonces, policy })).not.toBe('ok')
    expect(nonces.held.size).toBe(0)
    expect(reasonOf(good, { nonces, policy })).toBe('ok')
  })
})

describe('an unknown key id', () => {
  const schemes = [rfc9421(), ustudioHmac()]
  const faces: readonly (readonly [string, (message: RequestMessage) => RequestMessage])[] = [
    [
      'a missing covered field',
      (message) => ({ ...message, fields: message.fields.filter((_, i) => i < 2 || i > 3) }),
    ],
    [
      'a signature that is not base64',
      (message) => ({ ...message, fields: [...message.fields.slice(0, -1), 'sig1=:!!!:'] }),
    ],
    ['a wrong signature', (message) => ({ ...message, method: 'PUT' })],
  ]
  it.each(faces)('is answered as a known one: %s', (_, change) => {
    const message = requestMessage({ ...post, headers: { host: 'api.example.com', 'x-a': '1' } })
    const covers = ['@method', '@target-uri', 'content-digest', 'x-a']
    const [known, stranger] = ['alice', 'nobody'].map((id) =>
      verifier({ schemes }).verifySync(
        change(signed(message, { ...alice, id, secret: 'a guess' }, { covers })),
      ),
    )
    if (known?.ok !== false || stranger?.ok !== false) throw new Error('a forgery was accepted')
    expect([stranger.status, stranger.headers]).toEqual([known.status, known.headers])
    const hidden = ['credential-unknown', 'signature-mismatch']
    if (!hidden.includes(known.reason)) expect(stranger.reason).toBe(known.reason)
  })

  it('is answered as a known one where the content is over the limit', () => {
    const scheme = ustudioHmac()
    const reasons = ['alice', 'nobody'].map((id) => {
      const message = requestMessage(post)
      const patched = applyPatch(
        message,
        createSigner({ scheme, credential: { id, secret: 'a guess' } }).signSync(message),
      )
      return reasonOf(patched, { schemes: [scheme], policy: { limitBytes: 4 } })
    })
    expect(reasons).toEqual(['body-too-large', 'body-too-large'])
  })
})

describe('a listener', () => {
  it('that fails later does no harm', async () => {
    const onVerdict = async () => {
      throw new Error('disk full')
    }
    expect(await verifier({ onVerdict }).verify(signed(requestMessage(post)))).toMatchObject({ ok: true })
  })
})

describe('a replay token', () => {
  it('is of one scheme, key id and nonce only', () => {
    const tokens = [
      replayToken('s', 'a', 'b:c'),
      replayToken('s', 'a:b', 'c'),
      replayToken('sa', '', 'bc'),
      replayToken('s', 'ab', 'c'),
      replayToken('s', 'a', 'bc'),
    ]
    expect(new Set(tokens).size).toBe(tokens.length)
  })
})

describe('guards', () => {
  const good = signed(requestMessage(post))
  const input = good.fields[good.fields.indexOf('Signature-Input') + 1] ?? ''
  const value = good.fields[good.fields.indexOf('Signature') + 1] ?? ''
  const withFields = (inputText: string, valueText: string) => ({
    ...good,
    fields: [...good.fields.slice(0, -4), 'Signature-Input', inputText, 'Signature', valueText],
  })
  const list = input.slice('sig1='.length)
  const mac = value.slice('sig1='.length)

  it.each(['hmac-sha1', 'hmac-sha512', 'ed25519', 'no-such-algorithm'])(
    'refuse a secret that is bound to %s',
    (algorithm) => {
      expect(reasonOf(good, { credentials: () => ({ ...alice, algorithm }) })).toBe('algorithm-refused')
    },
  )

  it('refuse a label that stands twice in one field, and once in the other', () => {
    expect(reasonOf(withFields(`a=${list}, b=${list}`, `a=${mac}, b=${mac}`))).toBe('ok')
    expect(reasonOf(withFields(`a=${list}, b=${list}`, `a=${mac}, a=${mac}`))).toBe('signature-malformed')
    expect(reasonOf(withFields(`a=${list}, a=${list}`, `a=${mac}, b=${mac}`))).toBe('signature-malformed')
  })

  it.each(['"@method";req=?0', '"@method";req=1', '"date";sf=?0'])(
    'refuse a component parameter that is no flag: %s',
    (id) => {
      expect(reasonOf(withFields(input.replace('"@method"', `"@method" ${id}`), value))).toBe(
        'signature-malformed',
      )
    },
  )

  it('refuse a covered member of a dictionary that has its key twice', () => {
    const covers = ['@method', '@target-uri', '"priority";key="u"']
    const once = signed(requestMessage({ url: post.url, headers: { priority: 'u=1' } }), alice, { covers })
    expect(reasonOf(once)).toBe('ok')
    const twice = once.fields.map((field) => (field === 'u=1' ? 'u=3, u=1' : field))
    expect(reasonOf({ ...once, fields: twice })).toBe('component-missing')
  })

  it('refuse covered query parameters that are not UTF-8, in name and value', () => {
    const ask = (query: string, name: string) => {
      const covers = ['@method', '@authority', '@path', '@query', `"@query-param";name="${name}"`]
      return () => signed(requestMessage({ url: `${post.url}?${query}` }), alice, { covers })
    }
    expect(reasonOf(ask('a=%C3%AB', 'a')())).toBe('ok')
    expect(ask('a=%FF', 'a')).toThrow(/not UTF-8/)
    expect(ask('%FF=1', '%EF%BF%BD')).toThrow(/not UTF-8/)
  })

  it('refuse an expiry before the creation', () => {
    const early = list.replace(';keyid', `;expires=${now - 1};keyid`)
    expect(reasonOf(withFields(`sig1=${early}`, value))).toBe('signature-malformed')
  })

  it.each([0, 257])('refuse a nonce of %s characters', (length) => {
    const nonce = list.replace(/nonce="[^"]*"/, `nonce="${'n'.repeat(length)}"`)
    expect(reasonOf(withFields(`sig1=${nonce}`, value))).toBe('signature-malformed')
  })

  it('record no nonce where the policy ignores nonces', () => {
    const nonces = setOf()
    expect(reasonOf(good, { nonces, policy: { nonce: 'ignored' } })).toBe('ok')
    expect(nonces.held.size).toBe(0)
  })

  it('end at a failing store, though another signature would stand', () => {
    const failing = (id: string) => {
      if (id === 'bob') throw new Error('down')
      return alice
    }
    const both = signed(signed(requestMessage(post), { ...alice, id: 'bob' }, { label: 'one' }), alice, {
      label: 'two',
    })
    expect(reasonOf(both, { credentials: failing })).toBe('store-unavailable')
  })

  it('want every scheme to be readable where all signatures count', () => {
    const schemes = [rfc9421(), ustudioHmac()]
    const message = { ...good, fields: [...good.fields, 'Authorization', 'USTUDIO-HMAC-V2 alice'] }
    expect(reasonOf(message, { schemes })).toBe('ok')
    expect(reasonOf(message, { schemes, policy: { signatures: 'all' } })).toBe('signature-malformed')
  })

  it('bound the work that one message may cause', () => {
    const blanks = `${' '.repeat(15_000)}\u00e9x`
    const covers = ['@method', '@target-uri', 'x-a']
    const long = signed(requestMessage({ url: post.url, headers: { 'x-a': 'a' } }), alice, { covers })
    expect(reasonOf({ ...long, fields: long.fields.map((field) => (field === 'a' ? blanks : field)) })).toBe(
      'component-missing',
    )
    const many = Array.from({ length: 9 }, (_, i) => `s${i}`)
    expect(
      reasonOf(
        withFields(
          many.map((label) => `${label}=${list}`).join(', '),
          many.map((label) => `${label}=${mac}`).join(', '),
        ),
      ),
    ).toBe('signature-malformed')
  })

  it.each(['Content-Type', '@methd', 'content-type ', ''])('refuse %j as a component of a policy', (id) => {
    expect(() => verifier({ policy: { covers: [id] } })).toThrow(/policy.covers/)
  })

  it('require of a method in lower case what they require of it in upper case', () => {
    const policy = { covers: { POST: ['@method', 'x-a'], '*': [] } }
    const lower = signed(requestMessage({ ...post, method: 'post' }), alice, {
      covers: ['@method', 'content-digest'],
    })
    expect(reasonOf(lower, { policy })).toBe('coverage-missing')
  })
})
