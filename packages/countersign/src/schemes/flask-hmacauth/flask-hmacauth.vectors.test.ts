import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../bytes/utf8.ts'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, wireRequest } from '../../message/message.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { pathOf, queryOf } from '../../message/target.ts'
import { isRefusal, type Refusal } from '../../reasons/reasons.ts'
import type { Warning } from '../../reasons/warnings.ts'
import { createSigner } from '../../signer/signer.ts'
import { schemeContract } from '../../testing/contracts/scheme.ts'
import { tamper } from '../../testing/tamper.ts'
import { type SeedCase, type SeedFile, seedRequest } from '../../testing/vectors.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import type { FlaskHmacauthClaim } from './claim.ts'
import { flaskHmacauth } from './flask-hmacauth.ts'
import type { FlaskHmacauthForm, FlaskHmacauthOptions } from './options.ts'

const file: SeedFile = JSON.parse(
  readFileSync(new URL('../../../../../vectors/flask-hmacauth/seed.json', import.meta.url), 'utf8'),
)

interface Decision {
  readonly accepted: boolean
  /** What admits it all the same. */
  readonly compatible?: FlaskHmacauthForm
  readonly why: string
}

const form: Decision = {
  accepted: false,
  compatible: 'form-parameters',
  why: 'Nobody signs the content of a form, so a time in it holds nothing off for ever.',
}
const unsignedForm: Decision = {
  accepted: false,
  compatible: 'unsigned-forms',
  why: 'The signature fits any content of the form.',
}

/**
 * The vectors that the original accepts though it has a reason to refuse them, and those where we differ from it on purpose.
 * Every vector that is not in this table must get the verdict of the original.
 */
const decisions: Readonly<Record<string, Decision>> = {
  s010: {
    accepted: false,
    why: 'Underscores in a number: the older runtime refuses them, and no client writes them.',
  },
  s012: {
    accepted: false,
    compatible: 'repeated-parameters',
    why: 'What reads the last TIMESTAMP sees another time than was judged.',
  },
  s013: {
    accepted: false,
    compatible: 'repeated-parameters',
    why: 'What reads the last ACCOUNT_ID sees another account than was judged.',
  },
  s018: {
    accepted: false,
    compatible: 'escaped-separators',
    why: 'A plus sign under the signature of a space. Clients that sign as sent are refused by the original.',
  },
  s045: form,
  s046: form,
  s047: form,
  s048: unsignedForm,
  s049: unsignedForm,
  s050: unsignedForm,
  s051: { accepted: true, why: 'The same bytes as s042, an honest client: warned of; refused with strict.' },
  s052: { accepted: true, why: 'The same bytes as s034, an honest client: warned of; refused with strict.' },
  s053: { accepted: true, why: 'The scheme does not sign the host: warned of.' },
  s054: {
    accepted: false,
    compatible: 'path-parameters',
    why: 'What reads path parameters sees some that nobody signed.',
  },
  s055: {
    accepted: false,
    compatible: 'escaped-separators',
    why: 'Another path to everything but WSGI. Clients that sign as sent are refused by the original.',
  },
  s056: {
    accepted: true,
    why: 'The same URI by RFC 3986 section 6.2.2.2; of the kind of s058. Refused with strict.',
  },
  s057: { accepted: true, why: 'Two equal requests within a second may be honest. Refused with singleUse.' },
  s070: { accepted: false, why: 'An empty secret is a missing setting. No backend is given one.' },
  s076: { accepted: false, why: 'Rights are those of the credential; no broker grants every right.' },
  s077: { accepted: false, why: 'A time is seconds since the epoch; no zone can turn it back.' },
  s092: { accepted: true, why: 'Half a second ahead: clocks may differ both ways.' },
  s124: {
    accepted: true,
    why: 'Blanks around a value are no part of it (RFC 9110 section 5.5), and most servers never show them.',
  },
}

const keyOf = ({ id }: SeedCase): string => id.slice('flask-hmacauth-'.length)
const isAccepted = (vector: SeedCase): boolean =>
  decisions[keyOf(vector)]?.accepted ?? vector.kind === 'valid'

function optionsOf({ server }: SeedCase): FlaskHmacauthOptions {
  const { digest, validSeconds, signatureHeader, broker } = server
  return {
    digest: digest === 'sha256' ? 'sha256' : 'sha1',
    validSeconds: Number(validSeconds),
    signatureHeader: String(signatureHeader),
    ...(broker === 'static' ? { keyId: 'static' } : {}),
  }
}

/** Judges the request of a vector, or another under the same circumstances. */
function judge(
  vector: SeedCase,
  request: RequestMessage = seedRequest(vector.request),
  options: FlaskHmacauthOptions = {},
): Verdict {
  const { credentials = [], requiredRights: required } = vector.server
  const known = credentials.flatMap(({ id, secret, rights }): Credential[] =>
    typeof secret === 'string' && typeof id === 'string'
      ? [{ id, secret, rights: Array.isArray(rights) ? rights.map(String) : [] }]
      : [],
  )
  const verifier = createVerifier({
    schemes: [flaskHmacauth({ ...optionsOf(vector), ...options })],
    credentials: (keyId) => known.find(({ id }) => id === keyId),
    clock: () => vector.clock,
  })
  const rights =
    typeof required === 'string' ? [required] : Array.isArray(required) ? required.map(String) : []
  return verifier.verifySync(request, { rights })
}

/** What the documentation has a client sign, as the request that it then sends. */
function toSign({ signer, request }: SeedCase): RequestMessage {
  return wireRequest({ ...seedRequest(request), target: String(signer?.input.pathAndQuery) })
}

function baseOf(vector: SeedCase, message: RequestMessage): SignatureBase | Refusal {
  const scheme = flaskHmacauth(optionsOf(vector))
  const header = optionsOf(vector).signatureHeader ?? ''
  const digits = optionsOf(vector).digest === 'sha256' ? 64 : 40
  const claims = scheme.read({
    ...message,
    fields: ['Content-Type', contentType(message), header, '0'.repeat(digits)],
  })
  if (claims === undefined) throw new Error('the signature was not found')
  if (isRefusal(claims)) return claims
  const [claim]: readonly (FlaskHmacauthClaim | undefined)[] = claims
  if (claim === undefined) throw new Error('no claim was made')
  const base = scheme.base(message, claim, { limitBytes: 1_048_576 })
  if ('next' in base) throw new Error('the base of a message with its bytes at hand asks for nothing')
  return base
}

function contentType({ fields }: RequestMessage): string {
  const line = fields.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-type')
  return line < 0 ? 'text/plain' : (fields[line + 1] ?? '')
}

function bytesOf(base: SignatureBase): string {
  return Buffer.concat([utf8Encode(base.text), base.body ?? new Uint8Array(0)]).toString('base64')
}

/** The same URI by RFC 3986 sections 6.2.2.1 and 6.2.2.2: escapes differ in case alone, or stand for unreserved characters. */
function isSameUri(signed: RequestMessage, received: RequestMessage): boolean {
  const normal = (text: string): string =>
    text.replace(/%[0-9a-f]{2}/gi, (spelled) => {
      const character = String.fromCharCode(Number.parseInt(spelled.slice(1), 16))
      return /[A-Za-z0-9\-._~]/.test(character) ? character : spelled.toUpperCase()
    })
  return (
    normal(pathOf(signed.target)) === normal(pathOf(received.target)) &&
    normal(queryOf(signed.target) ?? '') === normal(queryOf(received.target) ?? '') &&
    JSON.stringify([signed.method, signed.fields, signed.body]) ===
      JSON.stringify([received.method, received.fields, received.body])
  )
}

describe('flask-hmacauth against vectors of the original', () => {
  it('decides every vector that the original accepts unsafely', () => {
    expect(file.cases).toHaveLength(145)
    const unsafe = file.cases.filter(({ tags }) => tags.includes('unsafe-accept')).map(keyOf)
    expect(unsafe.filter((id) => !(id in decisions))).toEqual([])
    const differing = file.cases
      .filter((vector) => isAccepted(vector) !== (vector.kind === 'valid'))
      .map(keyOf)
    expect(Object.keys(decisions).sort()).toEqual([...new Set([...unsafe, ...differing])].sort())
  })

  it.each(file.cases.map((vector) => [vector.id, vector.description, vector] as const))(
    '%s %s',
    (_id, _description, vector) => {
      const verdict = judge(vector)
      expect(verdict.ok, verdict.ok ? '' : verdict.detail).toBe(isAccepted(vector))
      if (!verdict.ok) {
        // An empty secret is a credential that cannot be used.
        expect(verdict.status).toBe(vector.id.endsWith('s070') ? 503 : 403)
        return
      }
      const { body } = seedRequest(vector.request)
      const expected: Warning[] = ['host-uncovered', 'method-uncovered']
      if (body !== undefined && vector.request.method !== 'POST') expected.push('content-uncovered')
      if (vector.server.digest === 'sha1') expected.push('weak-algorithm')
      expect(verdict.warnings).toEqual(expected)
    },
  )

  const admitted = file.cases.filter((vector) => decisions[keyOf(vector)]?.compatible !== undefined)
  it.each(admitted.map((vector) => [keyOf(vector), decisions[keyOf(vector)]?.compatible, vector] as const))(
    '%s is admitted by the option %s alone, with a warning',
    (_id, admits, vector) => {
      const forms: readonly FlaskHmacauthForm[] = [
        'unsigned-forms',
        'form-parameters',
        'unsigned-content',
        'repeated-parameters',
        'ambiguous-bodies',
        'path-parameters',
        'escaped-separators',
        'leading-slashes',
      ]
      for (const one of forms) {
        const verdict = judge(vector, undefined, { compatible: [one] })
        expect(verdict.ok, one).toBe(one === admits)
        if (verdict.ok) expect(verdict.warnings).toContain('compatible')
      }
    },
  )

  it('2.01 2.02 makes the bytes that the original server made, or refuses', () => {
    let compared = 0
    for (const vector of file.cases) {
      if (vector.verdict.canonicalBase64 === null) continue
      const base = baseOf(vector, seedRequest(vector.request))
      if (isRefusal(base)) {
        expect(isAccepted(vector), vector.id).toBe(false)
        continue
      }
      expect(bytesOf(base), vector.id).toBe(vector.verdict.canonicalBase64)
      compared++
    }
    expect(compared).toBeGreaterThan(90)
  })

  it('2.01 2.02 2.03 signs to the byte what the documentation has a client sign', async () => {
    let compared = 0
    for (const vector of file.cases) {
      const { signer, credential } = vector
      if (signer === null || !isAccepted(vector)) continue
      const id = vector.server.broker === 'static' ? 'static' : String(credential.id)
      const ours = createSigner({
        scheme: flaskHmacauth(optionsOf(vector)),
        credential: { id, secret: String(credential.secret) },
      })
      // Signed as the documentation has it, and again as it was sent: of these some are spelled otherwise.
      for (const message of [toSign(vector), seedRequest(vector.request)]) {
        expect(await ours.sign(message), vector.id).toEqual({ set: signer.headers })
        const base = baseOf(vector, message)
        expect(isRefusal(base) ? base.detail : bytesOf(base), vector.id).toBe(signer.canonicalBase64)
      }
      compared++
    }
    expect(compared).toBe(64)
  })

  it('refuses to sign what the original refuses or could read otherwise', async () => {
    const ours = createSigner({
      scheme: flaskHmacauth(),
      credential: { id: 'admin', secret: 'adm1n-s3cret' },
    })
    const ids = 's012 s013 s018 s045 s049 s050 s054 s055 s133 s134 s138 s139 s140 s141 s142'.split(' ')
    const refused = file.cases.filter((vector) => ids.includes(keyOf(vector)))
    expect(refused).toHaveLength(ids.length)
    for (const { id, request } of refused) {
      const failure = expect.objectContaining({ code: 'component-unavailable' })
      await expect(ours.sign(seedRequest(request)), id).rejects.toThrow(failure)
    }
  })
})

describe('every byte changed in a vector that is accepted', () => {
  const accepted = file.cases.filter(isAccepted)
  it.each(accepted.map((vector) => [vector.id, vector] as const))('%s', (_id, vector) => {
    const signed = seedRequest(vector.request)
    const verdict = judge(vector)
    const covers = verdict.ok ? verdict.claim.covers : []
    const credentialFields = [String(vector.server.signatureHeader).toLowerCase()]
    let refused = 0
    for (const { name, message } of tamper(signed, { covers, credentialFields })) {
      const { ok } = judge(vector, message)
      expect(!ok || isSameUri(signed, message), name).toBe(true)
      if (!ok) refused++
    }
    expect(refused).toBeGreaterThan(500)
  })
})

describe.each(['sha1', 'sha256', 'sha512'] as const)(
  'flask-hmacauth with %s under the scheme contract',
  (digest) => {
    const cases = schemeContract({
      scheme: flaskHmacauth({ digest }),
      signing: { id: 'admin', secret: 'correct horse battery' },
      stranger: { id: 'admin', secret: 'another secret altogether' },
      signs: ({ target }) => !target.includes('%2F') && !target.includes('%C3'),
      isSame: isSameUri,
    })
    for (const { name, run } of cases) it(name, run)
  },
)
