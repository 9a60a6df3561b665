import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../bytes/utf8.ts'
import type { Credential } from '../../credentials/credential.ts'
import { secretFrom } from '../../keys/secret.ts'
import { type RequestMessage, requestMessage } from '../../message/message.ts'
import { pathOf } from '../../message/target.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { createSigner } from '../../signer/signer.ts'
import { schemeContract } from '../../testing/contracts/scheme.ts'
import { tamper } from '../../testing/tamper.ts'
import { type SeedCase, type SeedFile, seedBytes, seedRequest } from '../../testing/vectors.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { flaskHmac } from './flask-hmac.ts'
import type { FlaskHmacForm, FlaskHmacOptions, FlaskHmacVariant } from './options.ts'

const file: SeedFile = JSON.parse(
  readFileSync(new URL('../../../../../vectors/flask-hmac/seed.json', import.meta.url), 'utf8'),
)

interface Decision {
  readonly accepted: boolean
  /** What admits it all the same. */
  readonly compatible?: FlaskHmacForm
  readonly why: string
}

const anywhere: Decision = { accepted: true, why: 'The scheme signs the body alone: warned of.' }
const pathOnly: Decision = { accepted: true, why: 'The scheme signs the path alone: warned of.' }
const unsignedForm: Decision = {
  accepted: false,
  compatible: 'unsigned-forms',
  why: 'The signature of nothing fits any form.',
}
const disarmed: Decision = {
  accepted: false,
  why: "Switched off with the mode `off` of the policy, the request passes as nobody's; no signature is proven.",
}

/**
 * The vectors that the original accepts though it has a reason to refuse them, and those where we differ from it on purpose.
 * Every vector that is not in this table must get the verdict of the original.
 */
const decisions: Readonly<Record<string, Decision>> = {
  s029: anywhere,
  s030: anywhere,
  s031: anywhere,
  s032: unsignedForm,
  s033: unsignedForm,
  s034: unsignedForm,
  s035: unsignedForm,
  s036: disarmed,
  s047: {
    accepted: false,
    why: 'The plain key has only the rights it was given, whatever names a route lists.',
  },
  s048: { accepted: false, why: 'An empty secret is a missing setting; no other key stands in for it.' },
  s052: unsignedForm,
  s071: {
    accepted: true,
    why: 'Blanks around a value are no part of it (RFC 9110 section 5.5), and most servers never show them.',
  },
  s116: pathOnly,
  s117: pathOnly,
  s118: pathOnly,
  s120: {
    accepted: false,
    compatible: 'escaped-separators',
    why: 'Another path to everything but WSGI under the same signature.',
  },
  s127: { accepted: false, why: 'Of two lines no hop has to read the same one.' },
  s130: disarmed,
  s132: { accepted: true, why: 'Padding says nothing; clients whose base64 has it need not take it off.' },
}

const keyOf = ({ id }: SeedCase): string => id.slice('flask-hmac-'.length)
const isAccepted = (vector: SeedCase): boolean =>
  decisions[keyOf(vector)]?.accepted ?? vector.kind === 'valid'

const variants: readonly FlaskHmacVariant[] = [
  'path',
  'body-base64url',
  'body-base64',
  'named-base64url',
  'named-base64',
]

/** The schemes that the original's server understood: of named keys, of the plain one, or of both. */
function schemesOf({ server }: SeedCase, compatible: readonly FlaskHmacForm[] = []) {
  const digest = server.digest === 'sha1' || server.digest === 'sha512' ? server.digest : 'sha256'
  const of = (variant: FlaskHmacVariant | undefined) =>
    variant === undefined ? [] : [flaskHmac({ variant, digest, header: String(server.header), compatible })]
  const isUrlSafe = String(server.variant).endsWith('url')
  const named = isUrlSafe ? 'named-base64url' : 'named-base64'
  const plain = server.variant === 'path' ? 'path' : isUrlSafe ? 'body-base64url' : 'body-base64'
  return [...of(server.keys === undefined ? undefined : named), ...of(plain)]
}

function isEntry(entry: unknown): entry is { readonly id: string; readonly secret: string } {
  return typeof entry === 'object' && entry !== null && 'id' in entry && 'secret' in entry
}

/** What the original's server knew. A list of names becomes a right that those on it have. */
function credentialsOf(vector: SeedCase): readonly Credential[] {
  const { key, keys, only } = vector.server
  const named = Array.isArray(keys) ? keys.filter(isEntry) : []
  const plain = typeof key === 'string' ? [{ id: 'default', secret: key }] : []
  return [...named, ...plain].map(({ id, secret }) => ({
    id,
    // On Python 3 the original encodes keys as Latin-1, on Python 2 they are the bytes of the file.
    secret: secretFrom.bytes(Buffer.from(secret, vector.id.endsWith('s027') ? 'latin1' : 'utf8')),
    rights: Array.isArray(only) && only.includes(id) ? ['listed'] : [],
  }))
}

/** Judges the request of a vector, or another under the same circumstances. */
function judge(
  vector: SeedCase,
  request: RequestMessage = seedRequest(vector.request),
  compatible: readonly FlaskHmacForm[] = [],
): Verdict {
  const known = credentialsOf(vector)
  const verifier = createVerifier({
    schemes: schemesOf(vector, compatible),
    credentials: (keyId) => known.find(({ id }) => id === keyId),
    policy: vector.server.disarmed === true ? { mode: 'off' } : {},
  })
  return verifier.verifySync(request, { rights: vector.server.only === undefined ? [] : ['listed'] })
}

/** The same request: the path spelled otherwise, or the padding of the value taken off. */
function isSame(signed: RequestMessage, received: RequestMessage): boolean {
  const decoded = ({ target }: RequestMessage): string => {
    try {
      return decodeURIComponent(pathOf(target))
    } catch {
      return target
    }
  }
  const fields = (message: RequestMessage) => message.fields.map((field) => field.replace(/=+$/, ''))
  return (
    decoded(signed) === decoded(received) &&
    JSON.stringify([signed.method, fields(signed), signed.body]) ===
      JSON.stringify([received.method, fields(received), received.body])
  )
}

describe('flask-hmac against vectors of the original', () => {
  it('decides every vector that the original accepts unsafely', () => {
    expect(file.cases).toHaveLength(144)
    const unsafe = file.cases.filter(({ tags }) => tags.includes('unsafe-accept')).map(keyOf)
    const differing = file.cases
      .filter((vector) => isAccepted(vector) !== (vector.kind === 'valid'))
      .map(keyOf)
    expect(Object.keys(decisions)).toEqual([...new Set([...unsafe, ...differing])].sort())
  })

  it.each(file.cases.map((vector) => [vector.id, vector.description, vector] as const))(
    '%s %s',
    (_id, _description, vector) => {
      const verdict = judge(vector)
      expect(verdict.ok, verdict.ok ? '' : verdict.detail).toBe(isAccepted(vector))
      if (verdict.ok) {
        expect(verdict.warnings).toEqual(
          expect.arrayContaining(['host-uncovered', 'method-uncovered', 'replayable']),
        )
        expect(verdict.warnings.includes('path-uncovered')).toBe(vector.server.variant !== 'path')
        expect(verdict.warnings.includes('weak-algorithm')).toBe(vector.server.digest === 'sha1')
        expect(verdict.warnings.includes('query-uncovered')).toBe(vector.request.target.includes('?'))
        expect(verdict.warnings.includes('content-uncovered')).toBe(
          vector.server.variant === 'path' && vector.request.bodyBase64 !== '',
        )
      } else {
        // An empty secret is a credential that cannot be used.
        expect(verdict.status).toBe(vector.id.endsWith('s048') ? 503 : 403)
        // 3.06: only the mode lets a request pass that nobody has proven.
        expect(verdict.enforced).toBe(vector.server.disarmed !== true)
      }
    },
  )

  it.each(
    file.cases.filter((one) => decisions[keyOf(one)]?.compatible).map((one) => [keyOf(one), one] as const),
  )('%s is admitted by an option of its own, with a warning', (id, vector) => {
    const admits = decisions[id]?.compatible
    const verdict = judge(vector, undefined, admits === undefined ? [] : [admits])
    expect(verdict).toMatchObject({ ok: true })
    expect(verdict.ok && verdict.warnings).toContain('compatible')
  })

  it('3.03 3.04 3.10 signs to the byte what the original signs', async () => {
    let compared = 0
    for (const vector of file.cases) {
      const { signer, credential, server } = vector
      // The original cannot sign form content, nor we the path of s144, under an empty secret or a name with a colon.
      if (signer === null || ['s048', 's099', 's144'].includes(keyOf(vector))) continue
      const { path, bodyBase64, name, secret } = signer.input
      const id = typeof name === 'string' ? name : 'default'
      const scheme = schemesOf(vector)[typeof name === 'string' ? 0 : schemesOf(vector).length - 1]
      if (scheme === undefined || typeof secret !== 'string') throw new Error('the vector has no signer')
      const message = requestMessage({
        method: 'POST',
        url: `http://hmac.example.test${typeof path === 'string' ? encodeURI(path).replaceAll('?', '%3F') : '/orders'}`,
        ...(typeof bodyBase64 === 'string' ? { body: seedBytes(bodyBase64) } : {}),
      })
      const bytes = secretFrom.bytes(Buffer.from(secret, vector.id.endsWith('s027') ? 'latin1' : 'utf8'))
      const patch = await createSigner({ scheme, credential: { id, secret: bytes } }).sign(message)
      const { variant } = server
      expect(
        patch.set.map(([, value]) => value),
        `${vector.id} ${variant} ${credential.id}`,
      ).toEqual(signer.headers.map(([, value]) => value))
      compared++
    }
    expect(compared).toBeGreaterThan(120)
  })

  it('3.04 makes the bytes that the original server made, or refuses', () => {
    let compared = 0
    for (const vector of file.cases) {
      const message = seedRequest(vector.request)
      for (const scheme of schemesOf(vector)) {
        const claims = scheme.read(message)
        if (claims === undefined || isRefusal(claims) || vector.verdict.canonicalBase64 === null) continue
        const [claim] = claims
        const base = claim === undefined ? undefined : scheme.base(message, claim, { limitBytes: 1_048_576 })
        if (base === undefined || 'next' in base || isRefusal(base)) throw new Error(`${vector.id}: no base`)
        const bytes = Buffer.concat([utf8Encode(base.text), base.body ?? new Uint8Array(0)])
        expect(bytes.toString('base64'), vector.id).toBe(vector.verdict.canonicalBase64)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(60)
  })
})

describe('every byte changed in a vector that is accepted', () => {
  it.each(file.cases.filter(isAccepted).map((vector) => [vector.id, vector] as const))(
    '%s',
    (_id, vector) => {
      const signed = seedRequest(vector.request)
      const verdict = judge(vector)
      const covers = verdict.ok ? verdict.claim.covers : []
      const credentialFields = [String(vector.server.header).toLowerCase()]
      let refused = 0
      for (const { name, message } of tamper(signed, { covers, credentialFields })) {
        const { ok } = judge(vector, message)
        expect(!ok || isSame(signed, message), name).toBe(true)
        if (!ok) refused++
      }
      expect(refused).toBeGreaterThan(200)
    },
  )
})

const contracts: readonly FlaskHmacOptions[] = [
  ...variants.map((variant) => ({ variant })),
  { variant: 'body-base64', digest: 'sha512', encoding: 'hex', header: 'X-Hmac' },
  { variant: 'named-base64', digest: 'sha1', encoding: 'hex' },
]

describe.each(contracts)('flask-hmac under the scheme contract: $variant $encoding', (options) => {
  const cases = schemeContract({
    scheme: flaskHmac(options),
    signing: { id: 'default', secret: 'correct horse battery' },
    stranger: { id: 'default', secret: 'another secret altogether' },
    signs: ({ target }) => options.variant !== 'path' || !target.includes('%2F'),
    isSame,
  })
  for (const { name, run } of cases) it(name, run)
})
