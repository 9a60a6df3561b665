import { generateKeyPairSync } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { parseDictionary } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import type { Message, RequestMessage } from '../../message/message.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isRefusal, type Refusal } from '../../reasons/reasons.ts'
import { rfc9421 } from '../../schemes/rfc9421/rfc9421.ts'
import type { Asked, Claim, Scheme } from '../../schemes/scheme.ts'
import { ustudioHmac } from '../../schemes/ustudio-hmac.ts'
import type { Steps } from '../../steps/steps.ts'
import { isSameForm } from '../same-form.ts'
import { schemeContract } from './scheme.ts'
import type { SchemeContractInput } from './scheme-trial.ts'

/**
 * RFC 9421 signs what a structured field means, not how it is spelled: `created=017` is `created=17`. Judged by the
 * parser of another library. Everything else must be as it was.
 */
function isSameMeaning(signed: RequestMessage, received: RequestMessage): boolean {
  const { fields: left, ...rest } = signed
  const { fields: right, ...others } = received
  return (
    isDeepStrictEqual(rest, others) &&
    left.length === right.length &&
    left.every((field, i) => {
      if (field === right[i]) return true
      const isInput = i % 2 === 1 && left[i - 1]?.toLowerCase() === 'signature-input'
      return isInput && isDeepStrictEqual(dictionary(field), dictionary(right[i] ?? ''))
    })
  )
}

function dictionary(text: string): unknown {
  try {
    return parseDictionary(text)
  } catch {
    return Symbol('not a dictionary')
  }
}

const pair = () => generateKeyPairSync('ed25519')
const own = pair()

describe('rfc9421 with a shared secret under the scheme contract', () => {
  const cases = schemeContract({
    scheme: rfc9421(),
    signing: { id: 'billing', secret: 'correct horse battery' },
    stranger: { id: 'billing', secret: 'another secret altogether' },
    isSame: isSameMeaning,
  })
  for (const { name, run } of cases) it(name, run)
})

describe('rfc9421 with Ed25519 under the scheme contract', () => {
  const cases = schemeContract({
    scheme: rfc9421(),
    signing: { id: 'billing', key: own.privateKey },
    verifying: { id: 'billing', key: own.publicKey },
    stranger: { id: 'billing', key: pair().privateKey },
  })
  // The matrix of changes does not depend on the key, and Ed25519 takes thirty times as long as HMAC.
  for (const { name, run } of cases.filter(({ name }) => !name.startsWith('refuses every'))) it(name, run)
})

const sound = ustudioHmac()
type Base = SignatureBase | Refusal

/** The scheme with another base. */
function withBase(change: (base: SignatureBase, message: Message) => SignatureBase): Scheme {
  function* later(steps: Steps<Base>, message: Message): Steps<Base> {
    const base = yield* steps
    return isRefusal(base) ? base : change(base, message)
  }
  const base: Scheme['base'] = (message, claim, context): Asked<Base> => {
    const given = sound.base(message, claim, context)
    if ('next' in given) return later(given, message)
    return isRefusal(given) ? given : change(given, message)
  }
  return { ...sound, base }
}

/** The scheme that reads what was written in place of what was sent. */
function withRead(read: (message: Message) => readonly Claim[] | Refusal | undefined): Scheme {
  return { ...sound, read }
}

function claims(message: Message, keyId: string, signature: string): readonly Claim[] {
  const read = sound.read(message)
  if (read === undefined || isRefusal(read)) return []
  return read.map((claim) => ({ ...claim, keyId, signature }))
}

const broken: Readonly<Record<string, readonly [scheme: Scheme, caughtBy: RegExp]>> = {
  'does not sign the method': [
    withBase((base) => ({ ...base, text: base.text.slice(base.text.indexOf('\n')) })),
    /refuses every changed byte/,
  ],
  'does not sign the query': [
    withBase((base) => ({ ...base, text: base.text.split('\n').slice(0, 2).join('\n') })),
    /refuses every changed byte: GET with a query/,
  ],
  'ignores case in the path': [
    withBase((base) => ({ ...base, text: base.text.toLowerCase() })),
    /refuses every changed byte/,
  ],
  'does not sign the body': [
    withBase(({ text }) => ({ text })),
    /refuses every changed byte: POST with text/,
  ],
  'does not sign the last byte of the body': [
    withBase(({ text, body }) => ({ text, ...(body === undefined ? {} : { body: body.subarray(0, -1) }) })),
    /refuses every changed byte: PUT with every byte/,
  ],
  'drops the high bit of the body': [
    withBase(({ text, body }) => ({
      text,
      ...(body === undefined ? {} : { body: body.map((byte) => byte & 127) }),
    })),
    /refuses every changed byte: PUT with every byte/,
  ],
  'throws on a long value': [
    withRead((message) => {
      if (message.fields.some((field) => field.length > 10_000)) throw new RangeError('too long')
      return sound.read(message)
    }),
    /hostile values|no signature where there is none/,
  ],
  'claims every response': [
    withRead((message) => (message.kind === 'response' ? claims(message, '', '') : sound.read(message))),
    /no signature where there is none/,
  ],
  'takes the first of two lines': [
    withRead((message) => {
      const line = message.fields.findIndex(
        (field, i) => i % 2 === 0 && field.toLowerCase() === 'authorization',
      )
      const fields = line < 0 ? message.fields : message.fields.slice(line, line + 2)
      return sound.read({ ...message, fields })
    }),
    /on two lines/,
  ],
  'claims what it does not know': [
    withRead((message) => sound.read(message) ?? claims(message, '', '')),
    /no signature where there is none/,
  ],
  'shows the secret': [
    {
      ...sound,
      write: (draft, signature) => {
        const { set } = sound.write(draft, signature)
        return { set: [...set, ['X-Debug', 'correct horse battery']] }
      },
    },
    /no secret in the patch/,
  ],
  'challenges with a line feed': [
    { ...sound, challenge: () => [['WWW-Authenticate', 'a\nb']] },
    /a challenge that may stand in a field/,
  ],
  'says that it signs a time': [
    { ...sound, traits: { ...sound.traits, time: true } },
    /knows stale signatures/,
  ],
}

describe('the scheme contract', () => {
  for (const [fault, [scheme, caughtBy]] of Object.entries(broken)) {
    it(`catches a scheme that ${fault}`, async () => {
      const input: SchemeContractInput = {
        scheme,
        signing: { id: 'studio-a', secret: 'correct horse battery' },
        stranger: { id: 'studio-a', secret: 'another secret altogether' },
        isSame: isSameForm,
      }
      const failed: string[] = []
      for (const { name, run } of schemeContract(input)) await run().catch(() => failed.push(name))
      expect(failed.filter((name) => caughtBy.test(name))).not.toEqual([])
    })
  }
})

describe('a message that a scheme is said to have no form for', () => {
  it('must be refused to the signer', async () => {
    const input: SchemeContractInput = {
      scheme: sound,
      signing: { id: 'studio-a', secret: 'correct horse battery' },
      stranger: { id: 'studio-a', secret: 'another secret altogether' },
      signs: () => false,
    }
    const refusing = schemeContract(input).filter(({ name }) => name.startsWith('refuses to sign: '))
    expect(refusing).toHaveLength(7)
    for (const { run } of refusing) await expect(run()).rejects.toThrow(/said to have no form/)
    const silent: Scheme = {
      ...sound,
      // biome-ignore lint/correctness/useYield: nothing is asked for
      *draft() {
        throw new CountersignError('component-unavailable', 'no form for this')
      },
    }
    for (const { name, run } of schemeContract({ ...input, scheme: silent })) {
      if (name.startsWith('refuses to sign: ')) await run()
    }
  })
})
