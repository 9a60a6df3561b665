import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, requestMessage } from '../../message/message.ts'
import type { Patch } from '../../message/patch.ts'
import { createSigner } from '../../signer/signer.ts'
import { schemeContract } from '../../testing/contracts/scheme.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import type { Scheme } from '../scheme.ts'
import type { OauthMacClaim } from './claim.ts'
import { oauthMac } from './oauth-mac.ts'

interface DraftRequest {
  readonly ts?: number
  readonly nonce: string
  readonly method: string
  readonly uri: string
  readonly host: string
  readonly port: number
  readonly ext?: string
}

interface DraftCredentials {
  readonly id: string
  readonly key: string
  readonly algorithm: 'hmac-sha-1' | 'hmac-sha-256'
}

interface DraftVector {
  readonly id: string
  readonly draft: '00' | '01'
  readonly credentials: DraftCredentials
  readonly request: DraftRequest
  readonly normalized: string
  readonly mac: string
  readonly authorization: string
  readonly body?: string
}

interface DraftFile {
  readonly vectors: readonly DraftVector[]
  readonly headerVariants: readonly { readonly id: string; readonly authorization: string }[]
  readonly refused: {
    readonly request: DraftRequest
    readonly credentials: DraftCredentials
    readonly cases: readonly {
      readonly id: string
      readonly authorization: string
      readonly reason: string
    }[]
  }
}

const file: DraftFile = JSON.parse(
  readFileSync(new URL('../../../../../vectors/oauth-mac/draft.json', import.meta.url), 'utf8'),
)
const current = file.vectors.filter(({ draft }) => draft === '01')

function credentialOf({ id, key, algorithm }: DraftCredentials): Credential {
  return { id, secret: key, algorithm: algorithm === 'hmac-sha-1' ? 'hmac-sha1' : 'hmac-sha256' }
}

function messageOf(request: DraftRequest, body?: string, authorization?: string): RequestMessage {
  const { method, uri, host, port } = request
  const scheme = port === 443 ? 'https' : 'http'
  const authority = port === 80 || port === 443 ? host : `${host}:${port}`
  return requestMessage({
    method,
    url: `${scheme}://${authority}${uri}`,
    headers: authorization === undefined ? {} : { authorization },
    ...(body === undefined ? {} : { body }),
  })
}

function judged(message: RequestMessage, credentials: DraftCredentials, now: number): Verdict {
  const credential = credentialOf(credentials)
  return createVerifier({
    schemes: [oauthMac()],
    credentials: (keyId) => (keyId === credential.id ? credential : undefined),
    clock: () => now,
  }).verifySync(message)
}

/** The scheme with a given nonce in place of a random one. */
function withNonce(scheme: Scheme<OauthMacClaim>, sentNonce: string): Scheme<OauthMacClaim> {
  return {
    ...scheme,
    *draft(input) {
      const draft = yield* scheme.draft(input)
      return { ...draft, claim: { ...draft.claim, sentNonce } }
    },
  }
}

/** Signs a vector's request at its time, with its nonce. */
function signed({ request, credentials, body }: DraftVector): Patch {
  const scheme = oauthMac(request.ext === undefined ? {} : { ext: request.ext })
  return createSigner({
    scheme: withNonce(scheme, request.nonce),
    credential: credentialOf(credentials),
    clock: () => request.ts ?? 0,
  }).signSync(messageOf(request, body))
}

describe('oauth-mac against draft-ietf-oauth-v2-http-mac-01', () => {
  it('has eight vectors, of both algorithms', () => {
    expect(current).toHaveLength(8)
    expect(new Set(current.map(({ credentials }) => credentials.algorithm)).size).toBe(2)
  })

  it.each(current.map((one) => [one.id, one] as const))('4.02 4.03 signs %s to the byte', (_id, one) => {
    expect(signed(one).set).toEqual([['Authorization', one.authorization]])
  })

  it.each(current.map((one) => [one.id, one] as const))(
    '4.02 makes the string and accepts: %s',
    (_id, one) => {
      const message = messageOf(one.request, one.body, one.authorization)
      const scheme = oauthMac()
      const claims = scheme.read(message)
      const claim = claims !== undefined && 'length' in claims ? claims[0] : undefined
      expect(claim !== undefined && scheme.base(message, claim, { limitBytes: 0 })).toMatchObject({
        text: one.normalized,
      })
      const verdict = judged(message, one.credentials, one.request.ts ?? 0)
      expect(verdict).toMatchObject({ ok: true, credential: { id: one.credentials.id } })
      expect(verdict.ok && verdict.warnings).toEqual([
        ...(one.body === undefined ? [] : ['content-uncovered']),
        ...(one.credentials.algorithm === 'hmac-sha-1' ? ['weak-algorithm'] : []),
      ])
    },
  )

  it('4.01 accepts parameters in any order', () => {
    const { request, credentials } = file.refused
    for (const { authorization } of file.headerVariants) {
      expect(judged(messageOf(request, undefined, authorization), credentials, request.ts ?? 0).ok).toBe(true)
    }
  })

  it.each(file.refused.cases.map((one) => [one.id, one.reason, one] as const))(
    '4.09 refuses %s: %s',
    (id, _reason, { authorization }) => {
      const reasons: Readonly<Record<string, string>> = {
        '1.1-as-printed': 'signature-mismatch',
        'no-nonce': 'nonce-missing',
        'no-ts': 'created-missing',
        'unsigned-ext': 'signature-mismatch',
      }
      const { request, credentials } = file.refused
      const verdict = judged(messageOf(request, undefined, authorization), credentials, request.ts ?? 0)
      expect(verdict).toMatchObject({ ok: false, reason: reasons[id] ?? 'signature-malformed', status: 401 })
    },
  )

  it('refuses the four requests of draft 00, and says what they are', () => {
    const old = file.vectors.filter(({ draft }) => draft === '00')
    expect(old).toHaveLength(4)
    for (const { request, body, authorization, credentials } of old) {
      const verdict = judged(messageOf(request, body, authorization), credentials, 264_095)
      expect(verdict).toMatchObject({ ok: false, detail: expect.stringContaining('draft 00') })
    }
  })
})

/** The one equivalence of draft-01: blanks behind the commas of the parameters. The tamper matrix leaves case of hosts out. */
function isSame(one: RequestMessage, other: RequestMessage): boolean {
  const form = ({ fields, ...rest }: RequestMessage): string =>
    JSON.stringify([rest, fields.map((value) => value.replaceAll('", ', '",'))])
  return form(one) === form(other)
}

describe.each(['hmac-sha256', 'hmac-sha1'])('oauth-mac with %s under the scheme contract', (algorithm) => {
  const cases = schemeContract({
    scheme: oauthMac({ ext: 'a,b,c' }),
    signing: { id: 'h480djs93hd8', secret: '489dks293j39', algorithm },
    stranger: { id: 'h480djs93hd8', secret: 'another secret altogether', algorithm },
    isSame,
    vectors: current
      .filter(({ credentials }) => credentialOf(credentials).algorithm === algorithm)
      .map(({ id, request, body, authorization, credentials }) => ({
        name: id,
        message: messageOf(request, body, authorization),
        credentials: [credentialOf(credentials)],
        now: request.ts ?? 0,
        accepted: true,
      })),
  })
  for (const { name, run } of cases) it(name, run)
})
