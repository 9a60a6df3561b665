import { describe, expect, it } from 'vitest'
import type { Credential } from '../credentials/credential.ts'
import { knowCredential } from '../credentials/known.ts'
import { requestMessage } from '../message/message.ts'
import { applyPatch } from '../message/patch.ts'
import { isRefusal } from '../reasons/reasons.ts'
import type { Warning } from '../reasons/warnings.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import type { Scheme } from '../schemes/scheme.ts'
import { ustudioHmac } from '../schemes/ustudio-hmac.ts'
import { createSigner } from '../signer/signer.ts'
import type { Stood } from './judgement.ts'
import { createVerifier } from './verifier.ts'
import { schemesWithWeakAlgorithms, warningsOf } from './warnings.ts'

const old: Scheme = { ...ustudioHmac(), algorithms: ['hmac-sha256', 'hmac-sha1'] }
const message = requestMessage({ url: 'https://api.example.com/' })

const alice: Credential = { id: 'alice', secret: 'a secret that only the tests know' }

/** What stands with a credential under a scheme. */
function stood(scheme: Scheme, credential: Credential, warnings?: readonly Warning[]): Stood {
  const patch = createSigner({ scheme: ustudioHmac(), credential: alice }).signSync(message)
  const claims = ustudioHmac().read(applyPatch(message, patch))
  const claim = claims !== undefined && !isRefusal(claims) ? claims[0] : undefined
  if (claim === undefined) throw new Error('the signature just made cannot be read')
  return { ok: true, scheme, claim: { ...claim, warnings }, credential: knowCredential(credential) }
}

describe('the warnings of a verdict', () => {
  it('name a weak algorithm where the credential is bound to one, once', () => {
    const weak = schemesWithWeakAlgorithms([old, rfc9421()])
    const bound = { ...alice, algorithm: 'hmac-sha1' }
    expect(warningsOf(stood(old, bound), weak)).toEqual(['weak-algorithm'])
    expect(warningsOf(stood(old, bound, ['replayable']), weak)).toEqual(['replayable', 'weak-algorithm'])
    expect(warningsOf(stood(old, bound, ['weak-algorithm']), weak)).toEqual(['weak-algorithm'])
    expect(warningsOf(stood(old, alice, ['replayable']), weak)).toEqual(['replayable'])
  })

  it('are those of the claim where a scheme has no weak algorithm', () => {
    const sound = rfc9421()
    expect(schemesWithWeakAlgorithms([sound, ustudioHmac()])).toEqual(new Set())
    expect(warningsOf(stood(sound, alice), new Set())).toEqual([])
  })
})

describe('a challenge', () => {
  it('hears why a signature was refused from the scheme that read it, and no other', () => {
    const telling = (scheme: Scheme): Scheme => ({
      ...scheme,
      challenge: (_, reason) => [['WWW-Authenticate', `${scheme.name} error="${reason}"`]],
    })
    const verifier = createVerifier({
      schemes: [telling(ustudioHmac()), telling(rfc9421())],
      credentials: () => undefined,
    })
    const headers = (value: string) => {
      const verdict = verifier.verifySync(
        requestMessage({ url: 'https://api.example.com/', headers: { authorization: value } }),
      )
      return verdict.ok ? [] : verdict.headers.map(([, text]) => text)
    }
    expect(headers('USTUDIO-HMAC-V2 alice')).toEqual([
      'ustudio-hmac error="signature-malformed"',
      'rfc9421 error="undefined"',
    ])
    expect(headers('Basic Zm9v')).toEqual(['ustudio-hmac error="undefined"', 'rfc9421 error="undefined"'])
  })
})
