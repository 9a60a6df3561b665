import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../bytes/utf8.ts'
import type { Credential } from '../credentials/credential.ts'
import { type RequestMessage, requestMessage } from '../message/message.ts'
import { applyPatch } from '../message/patch.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { CountersignError } from '../reasons/error.ts'
import { isRefusal, type Refusal } from '../reasons/reasons.ts'
import { createSigner } from '../signer/signer.ts'
import { schemeContract } from '../testing/contracts/scheme.ts'
import type { SchemeVector } from '../testing/contracts/scheme-trial.ts'
import { isSameForm } from '../testing/same-form.ts'
import {
  type SeedCase,
  type SeedCredential,
  type SeedFile,
  seedBytes,
  seedRequest,
} from '../testing/vectors.ts'
import { createVerifier } from '../verifier/verifier.ts'
import type { Claim } from './scheme.ts'
import { ustudioHmac } from './ustudio-hmac.ts'

const file: SeedFile = JSON.parse(
  readFileSync(new URL('../../../../vectors/ustudio-hmac/seed.json', import.meta.url), 'utf8'),
)
const scheme = ustudioHmac()

/**
 * The vectors that the original accepts though it has a reason to refuse them, and what we do. Every vector that is
 * not in this table must get the verdict of the original.
 */
const decisions: Readonly<Record<string, { readonly accepted: boolean; readonly why: string }>> = {
  'ustudio-hmac-s049': {
    accepted: false,
    why: 'An empty secret is a missing setting, not a secret: anybody could sign. No backend is given one.',
  },
  'ustudio-hmac-s055': {
    accepted: true,
    why: 'The scheme does not sign the host and honest clients cannot make it; the traits say so.',
  },
  'ustudio-hmac-s056': {
    accepted: true,
    why: 'The scheme signs no header field and honest clients cannot make it; the traits say so.',
  },
  'ustudio-hmac-s057': {
    accepted: false,
    why: 'The name a=1&b contains a whole parameter: the signature fits ?a=1&b=2 too. No honest client needs it.',
  },
  'ustudio-hmac-s058': {
    accepted: false,
    why: 'The name has a line feed: the signature fits a body of role=admin too. No honest client needs it.',
  },
}

/** Where the original client leaves out of its signature what its own server, and we, put in. */
const signedOtherwise: Readonly<Record<string, string>> = {
  'ustudio-hmac-s092': 'The client leaves ";v=1" at the end of the path out. We sign the target as sent.',
  'ustudio-hmac-s093': 'The client signs an empty path where "/" is sent. We sign the target as sent.',
  'ustudio-hmac-s094': 'The client signs an empty path where "/?a=1" is sent. We sign the target as sent.',
}

function credentialOf({ id, secret }: SeedCredential): Credential {
  if (typeof id !== 'string' || secret === undefined) throw new Error('the vector has no shared secret')
  return { id, secret }
}

/** What the original's signer was given, as a message to sign. */
function toSign({ signer, request }: SeedCase): RequestMessage {
  const { method, url, path, query, bodyBase64 } = signer?.input ?? {}
  // Host follows from the URL that was signed; one vector was sent to another host on purpose.
  const added = ['authorization', 'host']
  return requestMessage({
    method: String(method),
    url: typeof url === 'string' ? url : `http://api.example.test${path}?${query}`,
    headers: request.headers.filter(([name]) => !added.includes(name.toLowerCase())),
    body: typeof bodyBase64 === 'string' && bodyBase64 !== '' ? seedBytes(bodyBase64) : undefined,
  })
}

function baseOf(message: RequestMessage): SignatureBase | Refusal {
  const claim: Claim = {
    scheme: scheme.name,
    keyId: '',
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
  const given = scheme.base(message, claim, { limitBytes: 1_048_576 })
  if ('next' in given) throw new Error('the base of a message with its bytes at hand asks for nothing')
  return given
}

function bytesOf(base: SignatureBase | Refusal): string {
  if (isRefusal(base)) return `refused: ${base.detail}`
  return Buffer.concat([utf8Encode(base.text), base.body ?? new Uint8Array(0)]).toString('base64')
}

function isAccepted(vector: SeedCase): boolean {
  return decisions[vector.id]?.accepted ?? vector.kind === 'valid'
}

describe('ustudio-hmac against vectors of the original', () => {
  it('decides every vector that the original accepts unsafely, and no other', () => {
    const unsafe = file.cases.filter(({ tags }) => tags.includes('unsafe-accept')).map(({ id }) => id)
    expect(Object.keys(decisions)).toEqual(unsafe)
    expect(file.cases).toHaveLength(96)
  })

  it('1.02 makes the bytes that the original server made, or refuses as decided', () => {
    const compared = file.cases.filter(({ verdict }) => verdict.canonicalBase64 !== null)
    expect(compared.length).toBeGreaterThan(70)
    for (const { id, request, verdict } of compared) {
      const base = baseOf(seedRequest(request))
      if (id.endsWith('s057') || id.endsWith('s058')) expect(isRefusal(base), id).toBe(true)
      else expect(bytesOf(base), id).toBe(verdict.canonicalBase64)
    }
  })

  it('1.02 makes the bytes that the original client made, where its own server agrees with it', () => {
    const compared = file.cases.filter(({ id, signer }) => signer !== null && !(id in signedOtherwise))
    expect(compared.length).toBeGreaterThan(90)
    for (const vector of compared) {
      expect(bytesOf(baseOf(toSign(vector))), vector.id).toBe(vector.signer?.canonicalBase64)
    }
  })

  it('1.01 signs to the byte what the original client signs', async () => {
    for (const vector of file.cases) {
      const { id, signer, credential } = vector
      if (signer === null || id in signedOtherwise || credential.secret === '') continue
      const { keyId, secret } = signer.input
      const ours = createSigner({ scheme, credential: { id: String(keyId), secret: String(secret) } })
      expect(await ours.sign(toSign(vector)), id).toEqual({ set: signer.headers })
    }
  })

  it('signs path parameters and an empty path as they are sent, so that the server accepts them', async () => {
    const vectors = file.cases.filter(({ id }) => id in signedOtherwise)
    expect(vectors).toHaveLength(Object.keys(signedOtherwise).length)
    for (const vector of vectors) {
      const credential = credentialOf(vector.credential)
      const message = toSign(vector)
      const patch = await createSigner({ scheme, credential }).sign(message)
      expect(patch.set, vector.id).not.toEqual(vector.signer?.headers)
      expect(bytesOf(baseOf(message)), vector.id).toBe(vector.verdict.canonicalBase64)
      const verifier = createVerifier({ schemes: [scheme], credentials: () => credential })
      expect((await verifier.verify(applyPatch(message, patch))).ok, vector.id).toBe(true)
    }
  })

  it('refuses an empty secret when it signs', () => {
    expect(() => createSigner({ scheme, credential: { id: 'studio-empty', secret: '' } })).toThrow(
      CountersignError,
    )
  })

  it('1.13 gives each way of being wrong its own reason', async () => {
    const expected: Readonly<Record<string, string>> = {
      s057: 'component-missing',
      s058: 'component-missing',
      s059: 'signature-absent',
      s060: 'signature-absent',
      s061: 'signature-malformed',
      s062: 'credential-unknown',
      s063: 'credential-unknown',
      s064: 'signature-mismatch',
      s065: 'signature-mismatch',
      s067: 'signature-mismatch',
      s078: 'signature-malformed',
      s079: 'signature-malformed',
      s080: 'signature-malformed',
      s081: 'signature-malformed',
      s082: 'signature-malformed',
      s083: 'signature-malformed',
      s084: 'signature-malformed',
      s085: 'signature-malformed',
      s086: 'signature-malformed',
      s087: 'signature-mismatch',
      s089: 'signature-malformed',
      s090: 'signature-malformed',
      s091: 'signature-malformed',
    }
    for (const [id, reason] of Object.entries(expected)) {
      const vector = file.cases.find((one) => one.id.endsWith(id))
      const known = vector?.server.credentials?.map(credentialOf) ?? []
      const verifier = createVerifier({
        schemes: [scheme],
        credentials: (keyId) => known.find((one) => one.id === keyId),
      })
      const verdict = vector === undefined ? undefined : await verifier.verify(seedRequest(vector.request))
      expect(verdict, id).toMatchObject({ ok: false, reason, status: 401 })
      expect(verdict, id).toMatchObject({ headers: [['WWW-Authenticate', 'USTUDIO-HMAC-V2']] })
    }
  })
})

const vectors: readonly SchemeVector[] = file.cases.map((vector) => ({
  name: `${vector.id}, ${vector.description}`,
  message: seedRequest(vector.request),
  credentials: vector.server.credentials?.map(credentialOf) ?? [],
  now: vector.clock,
  accepted: isAccepted(vector),
}))

describe('1.12 ustudio-hmac under the scheme contract', () => {
  const cases = schemeContract({
    scheme,
    signing: { id: 'studio-a', secret: 'correct horse battery' },
    stranger: { id: 'studio-a', secret: 'another secret altogether' },
    vectors,
    isSame: isSameForm,
  })
  for (const { name, run } of cases) it(name, run)
})
