import { describe, expect, it } from 'vitest'
import { utf8Decode, utf8Encode } from '../bytes/utf8.ts'
import type { BodySource } from '../message/body.ts'
import { requestMessage } from '../message/message.ts'
import { applyPatch } from '../message/patch.ts'
import { isRefusal, refuse } from '../reasons/reasons.ts'
import { rfc9421 } from '../schemes/rfc9421/rfc9421.ts'
import type { Scheme } from '../schemes/scheme.ts'
import { ustudioHmac } from '../schemes/ustudio-hmac.ts'
import { createSigner } from '../signer/signer.ts'
import { ask } from '../steps/steps.ts'
import { createVerifier } from './verifier.ts'

const old = ustudioHmac()
const alice = { id: 'alice', secret: 'a secret that only the tests know' }
const url = 'https://api.example.com/orders'
const authorization =
  createSigner({ scheme: old, credential: alice }).signSync(requestMessage({ method: 'POST', url }))
    .set[0]?.[1] ?? ''

/** A scheme whose Authorization value is the content, as some old client might send it. */
const inContent: Scheme = {
  ...old,
  read: () => undefined,
  *readContent(message, { limitBytes }) {
    if (message.kind !== 'request') return undefined
    const bytes = yield* ask({ kind: 'body', body: message.body, limitBytes })
    if (!(bytes instanceof Uint8Array)) return refuse('body-too-large', 'the content is too large')
    const value = utf8Decode(bytes) ?? ''
    return value === 'nothing'
      ? undefined
      : old.read(requestMessage({ url, headers: { authorization: value } }))
  },
  base: (message, claim, context) => {
    const base = old.base({ ...message, body: undefined }, claim, context)
    return 'next' in base || isRefusal(base) ? refuse('component-missing', 'not at once') : base
  },
}

function outcome(schemes: readonly Scheme[], body: string | BodySource, limitBytes = 1000): string {
  const verifier = createVerifier({
    schemes,
    credentials: () => alice,
    policy: { digest: 'if-covered', limitBytes },
  })
  const verdict = verifier.verifySync(requestMessage({ method: 'POST', url, body }))
  return verdict.ok ? verdict.scheme : `${verdict.reason} ${verdict.status}`
}

describe('a claim in the content', () => {
  it('is judged like any other', () => {
    expect(outcome([inContent], authorization)).toBe('ustudio-hmac')
    expect(outcome([inContent], `${authorization.slice(0, -1)}x`)).toBe('signature-malformed 401')
    expect(outcome([inContent], 'nothing')).toBe('signature-absent 401')
    expect(outcome([inContent], authorization, 10)).toBe('body-too-large 413')
  })

  it('is looked for only where no signature was found outside the content', () => {
    const unread: BodySource = {
      kind: 'body-source',
      bytes: () => {
        throw new Error('the content was read')
      },
    }
    expect(outcome([inContent], unread)).toBe('store-unavailable 503')
    const message = requestMessage({ method: 'POST', url })
    const signed = applyPatch(
      message,
      createSigner({ scheme: rfc9421(), credential: alice }).signSync(message),
    )
    const verifier = createVerifier({
      schemes: [inContent, rfc9421()],
      credentials: () => alice,
      policy: { digest: 'if-covered' },
    })
    expect(verifier.verifySync({ ...signed, body: unread })).toMatchObject({ ok: true, scheme: 'rfc9421' })
  })

  it('is taken from the bytes as they came', () => {
    const source: BodySource = { kind: 'body-source', bytes: () => utf8Encode(authorization) }
    expect(outcome([inContent], source)).toBe('ustudio-hmac')
  })
})

describe('the status of a request without a signature', () => {
  it('is that of the ancestors where they all had the same, else 401', () => {
    const forbidding = { ...old, refusalStatus: 403 }
    expect(outcome([forbidding], 'x')).toBe('signature-absent 403')
    expect(outcome([forbidding, { ...forbidding, name: 'another' }], 'x')).toBe('signature-absent 403')
    expect(outcome([forbidding, rfc9421()], 'x')).toBe('signature-absent 401')
    expect(outcome([old], 'x')).toBe('signature-absent 401')
  })
})
