import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/credential.ts'
import { type RequestMessage, requestMessage } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import { createSigner } from '../../signer/signer.ts'
import { memoryNonces } from '../../stores/memory.ts'
import { createVerifier, type Verifier } from '../../verifier/verifier.ts'
import { isOauthMacClaim } from './claim.ts'
import { oauthMac } from './oauth-mac.ts'
import type { OauthMacOptions } from './options.ts'

const start = 1_700_000_000
const alice: Credential = { id: 'alice', secret: 'a secret that only the tests know' }
const bob: Credential = { id: 'bob', secret: 'another one that bob knows' }
const message = requestMessage({ url: 'https://api.example.com/orders?draft=1' })
const anyTime = { compatible: ['any-time'] } as const

function signed(at: number, credential: Credential = alice): RequestMessage {
  const signer = createSigner({ scheme: oauthMac(), credential, clock: () => at })
  return applyPatch(message, signer.signSync(message))
}

/** A verifier whose clock is set by hand and that shows what its nonce store is told. */
function stand(options: OauthMacOptions = {}) {
  const clock = { now: start }
  const nonces = memoryNonces({ clock: () => clock.now })
  const told: { readonly nonce: string; readonly seconds: number }[] = []
  const verifier = createVerifier({
    schemes: [oauthMac(options)],
    credentials: (keyId) => [alice, bob].find(({ id }) => id === keyId),
    nonces: {
      record(nonce, expiresAt) {
        told.push({ nonce, seconds: expiresAt - clock.now })
        return nonces.record(nonce, expiresAt)
      },
    },
    clock: () => clock.now,
  })
  return { clock, told, verifier }
}

function outcome(verifier: Verifier, received: RequestMessage): string {
  const verdict = verifier.verifySync(received)
  return verdict.ok ? 'ok' : verdict.reason
}

describe('4.04 a nonce of oauth-mac', () => {
  it('is good once with its timestamp and id', () => {
    const { verifier, told } = stand()
    const first = signed(start)
    expect([outcome(verifier, first), outcome(verifier, first)]).toEqual(['ok', 'replayed'])
    expect(outcome(verifier, signed(start))).toBe('ok')
    expect(outcome(verifier, signed(start, bob))).toBe('ok')
    expect(new Set(told.map(({ nonce }) => nonce)).size).toBe(3)
  })

  it('binds timestamp, nonce and id so that no other three give the same', () => {
    const claimOf = (id: string, ts: string, nonce: string) => {
      const authorization = `MAC id="${id}", ts="${ts}", nonce="${nonce}", mac="YQ=="`
      const scheme = oauthMac({ profile: 'django-auth-mac' })
      const claims = scheme.read(requestMessage({ url: 'https://a.example/', headers: { authorization } }))
      const [claim] = claims !== undefined && 'length' in claims ? claims : []
      return claim?.nonce
    }
    expect(claimOf('a', '1', '2:x')).not.toBe(claimOf('a', '12', 'x'))
    expect(claimOf('a', '1', '2')).not.toBe(claimOf('a', '12', ''))
    expect(claimOf('a', '01', 'x')).toBe(claimOf('a', '1', 'x'))
    expect(claimOf('a', '1', 'X')).not.toBe(claimOf('a', '1', 'x'))
  })

  it('4.17 is remembered as long as its request could pass, and not for ever', () => {
    const { verifier, told } = stand()
    outcome(verifier, signed(start - 100))
    expect(told).toEqual([{ nonce: expect.any(String), seconds: 300 + 60 - 100 }])
  })

  it('4.20 RP-06 is not spent by forgeries, stale requests or strangers', () => {
    const { verifier, told } = stand()
    const good = signed(start)
    const forged = {
      ...good,
      fields: good.fields.map((value) =>
        value.replace(/mac="./, (head) => (head.endsWith('A') ? 'mac="B' : 'mac="A')),
      ),
    }
    expect(outcome(verifier, forged)).toBe('signature-mismatch')
    expect(outcome(verifier, { ...good, method: 'DELETE' })).toBe('signature-mismatch')
    expect(outcome(verifier, signed(start - 301))).toBe('created-stale')
    expect(outcome(verifier, signed(start, { ...bob, id: 'carol' }))).toBe('credential-unknown')
    expect(told).toEqual([])
    expect(outcome(verifier, good)).toBe('ok')
  })
})

describe('both profiles side by side', () => {
  it('serve old and new clients, and a request passes once whichever takes it', () => {
    const verifier = createVerifier({
      schemes: [oauthMac(), oauthMac({ profile: 'django-auth-mac' })],
      credentials: () => alice,
      nonces: memoryNonces({ clock: () => start }),
      clock: () => start,
    })
    const old = createSigner({
      scheme: oauthMac({ profile: 'django-auth-mac' }),
      credential: { ...alice, algorithm: 'hmac-sha1' },
      clock: () => start,
    })
    for (const received of [signed(start), applyPatch(message, old.signSync(message))]) {
      expect(outcome(verifier, received)).toBe('ok')
      expect(outcome(verifier, received)).not.toBe('ok')
    }
  })
})

describe('4.19 the time of oauth-mac', () => {
  it('is judged by the window of the policy, which the original does not have', () => {
    const { verifier } = stand()
    expect([-301, -300, 30, 31].map((offset) => outcome(verifier, signed(start + offset)))).toEqual([
      'created-stale',
      'ok',
      'ok',
      'created-in-future',
    ])
  })

  it('is brought to ours by the offset saved for a client, and for no other', () => {
    const saved = new Map([['alice', 86_400]])
    const { verifier } = stand({ clockOffsetSeconds: (keyId) => saved.get(keyId) })
    expect(outcome(verifier, signed(start - 86_400))).toBe('ok')
    expect(outcome(verifier, signed(start))).toBe('created-in-future')
    expect(outcome(verifier, signed(start - 86_400, bob))).toBe('created-stale')
    expect(outcome(verifier, signed(start, bob))).toBe('ok')
  })

  it('is not guessed where the offset cannot be had', () => {
    const failing = (): never => {
      throw new Error('password=hunter2')
    }
    for (const clockOffsetSeconds of [() => Number.NaN, () => 0.5, () => Number.POSITIVE_INFINITY, failing]) {
      const verdict = stand({ clockOffsetSeconds }).verifier.verifySync(signed(start))
      expect(verdict).toMatchObject({ ok: false, reason: 'store-unavailable', status: 503 })
      expect(JSON.stringify(verdict)).not.toContain('hunter2')
    }
  })

  it('any-time accepts any, says so, and learns from it what the clock of a client is', () => {
    const { verifier } = stand(anyTime)
    for (const at of [1, 264_095, start + 1_000_000, 253_402_300_799]) {
      const verdict = verifier.verifySync(signed(at))
      expect(verdict).toMatchObject({ ok: true, warnings: ['compatible', 'time-unchecked'] })
      expect(verdict.ok && isOauthMacClaim(verdict.claim) && verdict.claim.timestamp).toBe(at)
    }
    expect(oauthMac(anyTime).traits).toMatchObject({ time: false, nonce: true, rememberSeconds: 2_592_000 })
    expect(oauthMac().traits).toMatchObject({ time: true, nonce: true })
  })

  it('any-time holds a copy off for as long as it promises, and no longer', () => {
    const { verifier, clock } = stand({ ...anyTime, rememberSeconds: 86_400 })
    const old = signed(264_095)
    expect(outcome(verifier, old)).toBe('ok')
    for (const later of [1, 300, 3600, 86_400]) {
      clock.now = start + later
      expect(outcome(verifier, old)).toBe('replayed')
    }
    clock.now = start + 86_400 + 61
    expect(outcome(verifier, old)).toBe('ok')
  })
})
