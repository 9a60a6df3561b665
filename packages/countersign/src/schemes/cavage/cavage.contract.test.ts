import { generateKeyPairSync } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, wireRequest } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import { createSigner } from '../../signer/signer.ts'
import { schemeContract } from '../../testing/contracts/scheme.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { cavage } from './cavage.ts'
import type { CavageOptions } from './options.ts'

const now = 1_700_000_000
const credential: Credential = { id: 'k1', secret: 'correct horse battery' }

function judged(message: RequestMessage, options: CavageOptions): Verdict {
  return createVerifier({
    schemes: [cavage(options)],
    credentials: () => credential,
    clock: () => now,
  }).verifySync(message)
}

function roundTrip(message: RequestMessage, options: CavageOptions): Verdict {
  const signer = createSigner({ scheme: cavage(options), credential, clock: () => now })
  return judged(applyPatch(message, signer.signSync(message)), options)
}

describe('cavage, whatever it is given', () => {
  const target = fc.stringMatching(/^\/[!$-;=?-[\]-~]{0,40}$/)
  const method = fc.oneof(
    fc.constantFrom('GET', 'HEAD', 'DELETE', 'POST', 'PUT', 'PATCH'),
    fc.stringMatching(/^[A-Z-]{1,10}$/),
  )
  const body = fc.option(fc.uint8Array(), { nil: undefined })
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)

  it.each([
    ['draft', {}],
    ['draft with (created)', { time: 'created', field: 'signature' }],
    ['flask-cavage', { profile: 'flask-cavage' }],
  ] as const)('signs so that it verifies, or refuses to sign: %s', (_, options) => {
    let signed = 0
    fc.assert(
      fc.property(method, target, body, value, (method, target, body, value) => {
        const fields = ['Host', 'a', 'X-Value', value]
        const message = wireRequest({ method, target, scheme: 'https', fields, body })
        try {
          expect(roundTrip(message, options)).toMatchObject({ ok: true })
          signed++
        } catch (failure) {
          expect(failure).toMatchObject({ code: 'component-unavailable' })
        }
      }),
      { numRuns: 500 },
    )
    expect(signed).toBeGreaterThan(100)
  })

  it('gives every value of the field a verdict', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'Signature ',
        'keyId=',
        'algorithm=',
        'created=',
        'expires=',
        'headers=',
        'signature=',
        '"',
        ',',
        ' ',
        '\\',
        '(created)',
        '(request-target)',
        'host',
        'date',
        'digest',
        '1700000000',
        'hs2019',
        'k1',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.constantFrom('Authorization', 'Signature'),
        (pieces, name) => {
          const fields = [
            'Host',
            'a',
            'Date',
            'Tue, 14 Nov 2023 22:13:20 GMT',
            name,
            `Signature ${pieces.join('')}`,
          ]
          const message = wireRequest({
            method: 'GET',
            target: '/',
            scheme: 'https',
            fields,
            body: undefined,
          })
          for (const options of [{}, { profile: 'flask-cavage' }] as const) {
            expect(judged(message, options).ok).toBe(false)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})

/** The same list of names in another case: the signing string has them in lower case. */
function isSameList(signed: RequestMessage, received: RequestMessage): boolean {
  const lower = (message: RequestMessage) => ({
    ...message,
    fields: message.fields.map((text) => text.replace(/headers="[^"]*"/, (list) => list.toLowerCase())),
  })
  return isDeepStrictEqual(lower(signed), lower(received))
}

describe('cavage under the scheme contract', () => {
  const cases = schemeContract({
    scheme: cavage(),
    signing: credential,
    stranger: { id: 'k1', secret: 'another secret altogether' },
    isSame: isSameList,
  })
  for (const { name, run } of cases) it(name, run)
})

describe('cavage with (created) in Signature under the scheme contract', () => {
  const cases = schemeContract({
    scheme: cavage({ time: 'created', field: 'signature' }),
    signing: credential,
    stranger: { id: 'k1', secret: 'another secret altogether' },
    isSame: isSameList,
  })
  for (const { name, run } of cases) it(name, run)
})

describe('cavage with ECDSA under the scheme contract', () => {
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const own = pair()
  const cases = schemeContract({
    scheme: cavage(),
    signing: { id: 'k1', key: own.privateKey },
    verifying: { id: 'k1', key: own.publicKey },
    stranger: { id: 'k1', key: pair().privateKey },
  })
  // The matrix of changes does not depend on the key.
  for (const { name, run } of cases.filter(({ name }) => !name.startsWith('refuses every'))) it(name, run)
})
