import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RequestMessageInput, requestMessage } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { createSigner } from '../../signer/signer.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { readAnyInput } from './any-input.ts'
import type { SignatureInput } from './input.ts'
import { readPlainInput } from './plain-input.ts'
import { rfc9421 } from './rfc9421.ts'

const now = 1_795_000_000
const credential = { id: 'k1', secret: 'a secret of the tests' }
const verifier = createVerifier({ schemes: [rfc9421()], credentials: () => credential, clock: () => now })

function signed(input: RequestMessageInput, scheme = rfc9421()) {
  const message = requestMessage(input)
  return applyPatch(message, createSigner({ scheme, credential, clock: () => now }).signSync(message))
}

/** What of an input matters, without the functions of its components. */
function facts(inputs: readonly SignatureInput[]): unknown {
  return inputs.map(({ coverage, ...rest }) => ({ ...rest, ids: coverage.ids }))
}

const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/)
const text = fc.stringMatching(/^[ -!#-[\]-~]{0,12}$/)
const component = fc.constantFrom('@method', '@path', 'host', 'date', 'content-digest', 'x-a', 'x-b')
const parameter = fc.oneof(
  fc.tuple(fc.constantFrom('created', 'expires'), fc.nat({ max: 999_999_999_999_999 }).map(String)),
  fc.tuple(
    fc.constantFrom('keyid', 'nonce', 'alg', 'tag'),
    text.map((value) => `"${value}"`),
  ),
)
const member = fc
  .record({
    label: key,
    covers: fc.uniqueArray(component),
    parameters: fc.uniqueArray(parameter, { selector: ([name]) => name }),
  })
  .map(({ label, covers, parameters }) => ({
    label,
    text: `${label}=(${covers.map((id) => `"${id}"`).join(' ')})${parameters.map(([name, value]) => `;${name}=${value}`).join('')}`,
  }))
const plainInput = fc
  .uniqueArray(member, { minLength: 1, maxLength: 4, selector: ({ label }) => label })
  .map((members) => members.map((one) => one.text).join(', '))

describe('the two readers of Signature-Input', () => {
  it('agree on every plain input', () => {
    fc.assert(
      fc.property(plainInput, (value) => {
        const plain = readPlainInput(value)
        const any = readAnyInput(value)
        if (plain === undefined || isRefusal(any)) throw new Error('a plain input was not read')
        expect(facts(plain)).toEqual(facts(any))
      }),
      { numRuns: 2000 },
    )
  })

  it('agree on inputs with one character changed, wherever the plain one reads them', () => {
    const changed = fc.tuple(
      plainInput,
      fc.nat(),
      fc.constantFrom('', '"', ' ', ';', ')', '(', '=', '\\', 'A', '0', 'é', ','),
    )
    fc.assert(
      fc.property(changed, ([value, position, character]) => {
        const at = position % value.length
        const other = value.slice(0, at) + character + value.slice(at + 1)
        const plain = readPlainInput(other)
        if (plain === undefined) return
        const any = readAnyInput(other)
        if (isRefusal(any)) throw new Error(`only the plain reader takes ${other}`)
        expect(facts(plain)).toEqual(facts(any))
      }),
      { numRuns: 5000 },
    )
  })
})

describe('hostile input', () => {
  const good = signed({ url: 'https://api.example.com/a' })
  const withField = (name: string, value: string) =>
    verifier.verifySync({
      ...good,
      fields: good.fields.map((old, i) => (good.fields[i - 1] === name ? value : old)),
    })
  const input = good.fields[good.fields.indexOf('Signature-Input') + 1] ?? ''
  const signature = good.fields[good.fields.indexOf('Signature') + 1] ?? ''

  it('has a positive twin', () => expect(verifier.verifySync(good).ok).toBe(true))

  it.each([
    ['PA-01 sixteen KiB of (', `sig1=${'('.repeat(16_384)}`],
    ['PA-02 an unclosed quote', 'sig1=("@method);keyid="k1"'],
    ['PA-03 ten thousand components', `sig1=(${'"a" '.repeat(10_000)})`],
    [
      'PA-03 33 components',
      `sig1=(${Array.from({ length: 33 }, (_, i) => `"x-${i}"`).join(' ')});created=1;keyid="k1"`,
    ],
    ['PA-03 17 parameters', `${input}${Array.from({ length: 17 }, (_, i) => `;p${i}`).join('')}`],
    ['PA-04 a label twice', `${input}, ${input}`],
    ['PA-05 a label without a signature', input.replace('sig1', 'sig2')],
    ['PA-29 an empty key id', input.replace('"k1"', '""')],
    ['PA-29 a key id of 10 KiB', input.replace('"k1"', `"${'k'.repeat(10_240)}"`)],
    ['PA-29 no key id', input.replace(';keyid="k1"', '')],
    ['PA-33 an empty field', ''],
    ['PA-34 created as a decimal', input.replace(`=${now}`, `=${now}.0`)],
    ['PA-34 created as a string', input.replace(`=${now}`, `="${now}"`)],
    ['PA-34 created with 16 digits', input.replace(`=${now}`, '=1795000000000000')],
    ['PA-34 created as an exponent', input.replace(`=${now}`, '=1e9')],
    ['PA-34 created as a boolean', input.replace(`=${now}`, '=?1')],
    ['a parameter twice', `${input};keyid="k2"`],
    ['PA-35 an unknown escape', input.replace('"k1"', '"k\\1"')],
    ['PA-36 an upper-case component', input.replace('@method', 'Content-Digest')],
    ['PA-36 a component with a blank', input.replace('@method', 'a b')],
    ['PA-36 an empty component', input.replace('@method', '')],
    ['CA-01 a component twice', input.replace('"@method"', '"@method" "@method"')],
    ['CA-02 an unknown component parameter', input.replace('"@method"', '"@method";zzz')],
    ['CA-02 parameters that exclude each other', input.replace('"@method"', '"date";bs;sf')],
    ['CA-05 @signature-params covered', input.replace('@method', '@signature-params')],
    ['CA-05 an unknown derived component', input.replace('@method', '@foo')],
    ['a member that is an item', 'sig1="x"'],
    ['a byte above 0x7f', input.replace('k1', 'k\u00e9')],
  ])('%s is malformed', (_, value) => {
    expect(withField('Signature-Input', value)).toMatchObject({
      ok: false,
      reason: 'signature-malformed',
      status: 401,
    })
  })

  it.each([
    ['PA-06 a token', 'sig1=abc'],
    ['PA-06 a string', 'sig1="abc"'],
    ['PA-06 parameters', `${signature};x=1`],
    ['PA-07 set padding bits', 'sig1=:YR==:'],
    ['PA-08 a blank inside', signature.replace(':', ': ')],
    ['PA-08 the URL-safe alphabet', `sig1=:${'-_'.repeat(22)}:`],
    ['PA-08 missing padding', `${signature.slice(0, -2)}:`],
    ['PA-33 an empty field', ''],
    ['a label twice', `${signature}, ${signature}`],
    ['junk behind', `${signature} x`],
  ])('a Signature of %s is malformed', (_, value) => {
    expect(withField('Signature', value)).toMatchObject({ ok: false, reason: 'signature-malformed' })
  })

  it.each([
    ['CA-03 a trailer that is not there', '"content-digest";tr'],
    ['CA-04 req on a request', '"@method";req'],
    ['CA-05 @status on a request', '"@status"'],
    ['CA-07 a name of Object.prototype', '"constructor"'],
    ['CA-07 another one', '"tostring"'],
    ['CA-08 __proto__', '"__proto__"'],
  ])('%s is a missing component', (_, id) => {
    const value = input.replace('"@method"', `"@method" ${id}`)
    expect(withField('Signature-Input', value)).toMatchObject({ ok: false, reason: 'component-missing' })
  })

  it('CA-08 covers a field named __proto__ like any other', () => {
    const scheme = rfc9421({ covers: ['@method', '@target-uri', '__proto__'] })
    const message = signed({ url: 'https://api.example.com/a', headers: [['__proto__', 'x']] }, scheme)
    expect(verifier.verifySync(message).ok).toBe(true)
    expect(
      verifier.verifySync({ ...message, fields: message.fields.map((v) => (v === 'x' ? 'y' : v)) }).ok,
    ).toBe(false)
  })

  it('CA-06 never reads a derived component from a field of its name', () => {
    const message = signed({ url: 'https://api.example.com/a', headers: [['@method', 'DELETE']] })
    expect(verifier.verifySync(message).ok).toBe(true)
    expect(verifier.verifySync({ ...message, method: 'DELETE' })).toMatchObject({
      reason: 'signature-mismatch',
    })
  })

  it('CA-09, CA-10, CA-11 joins lines of a list field and refuses a second line of a single one', () => {
    const covers = ['@method', '@target-uri', 'accept', 'date']
    const lines: [string, string][] = [
      ['accept', 'a'],
      ['accept', 'b'],
      ['date', 'today'],
    ]
    const { fields, ...rest } = signed(
      { url: 'https://api.example.com/a', headers: lines },
      rfc9421({ covers }),
    )
    const behind = fields.slice(6)
    const judge = (front: readonly string[]) => {
      const verdict = verifier.verifySync({ ...rest, fields: [...front, ...behind] })
      return verdict.ok ? 'ok' : verdict.reason
    }
    expect(judge(['accept', 'a', 'accept', 'b', 'date', 'today'])).toBe('ok')
    expect(judge(['Accept', ' a, b\t', 'Date', 'today'])).toBe('ok')
    expect(judge(['accept', 'b', 'accept', 'a', 'date', 'today'])).toBe('signature-mismatch')
    expect(judge(['accept', 'a', 'date', 'today'])).toBe('signature-mismatch')
    expect(judge(['accept', 'a', 'accept', 'b', 'date', 'today', 'date', 'today'])).toBe('component-missing')
    expect(judge(['accept', 'a', 'accept', 'b\u00e9', 'date', 'today'])).toBe('component-missing')
  })

  it('never throws, whatever the two fields hold', () => {
    const wild = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.stringMatching(/^[a-z0-9=()":;, @\\?*.-]{0,200}$/),
    )
    fc.assert(
      fc.property(wild, wild, (first, second) => {
        const fields = ['Host', 'api.example.com', 'Signature-Input', first, 'Signature', second]
        expect(verifier.verifySync({ ...good, fields }).ok).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('signing', () => {
  it('puts its signature behind those already there', () => {
    const twice = signed({ url: 'https://api.example.com/a' }, rfc9421({ label: 'first' }))
    const patch = createSigner({
      scheme: rfc9421({ label: 'second' }),
      credential,
      clock: () => now,
    }).signSync(twice)
    const both = applyPatch(twice, patch)
    const policies = ['first', 'second'].map((label) => ({ signatures: { label } }))
    expect(policies.map((policy) => verifier.verifySync(both, { policy }).ok)).toEqual([true, true])
  })

  it('refuses a label that is taken', () => {
    const once = signed({ url: 'https://api.example.com/a' })
    expect(() => createSigner({ scheme: rfc9421(), credential }).signSync(once)).toThrow(
      /labelled sig1 already/,
    )
  })

  it('writes key ids and tags as RFC 9651 strings, and reads them back', () => {
    const awkward = { id: 'a "quoted" \\ id', secret: credential.secret }
    const message = requestMessage({ url: 'https://api.example.com/a' })
    const scheme = rfc9421({ tag: 'a "tag"' })
    const patched = applyPatch(
      message,
      createSigner({ scheme, credential: awkward, clock: () => now }).signSync(message),
    )
    const own = createVerifier({ schemes: [rfc9421()], credentials: () => awkward, clock: () => now })
    expect(own.verifySync(patched)).toMatchObject({
      ok: true,
      claim: { keyId: awkward.id, tag: 'a "tag"' },
    })
  })

  it.each([
    ['a component that does not exist', { covers: ['@nothing'] }],
    ['a component twice', { covers: ['@method', '@method'] }],
    ['a label that is no key', { label: 'Sig 1' }],
    ['an expiry of zero', { expiresInSeconds: 0 }],
  ])('refuses %s when it is set up', (_, options) => {
    expect(() => rfc9421(options)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
  })

  it('refuses to cover a field that the message lacks', () => {
    expect(() => signed({ url: 'https://api.example.com/' }, rfc9421({ covers: ['date'] }))).toThrow(
      expect.objectContaining({ code: 'component-unavailable' }),
    )
  })

  it('gives each signature a nonce of its own', () => {
    const nonces = Array.from({ length: 500 }, () =>
      signed({ url: 'https://api.example.com/' }).fields.at(-3),
    )
    expect(new Set(nonces).size).toBe(500)
  })
})
