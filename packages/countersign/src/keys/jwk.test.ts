import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { base64urlDecode, base64urlEncode } from '../bytes/base64.ts'
import { publishedPairs } from '../testing/contracts/backend-keys.ts'
import { type Jwk, readJwk } from './jwk.ts'

function pair(algorithm: string): { readonly publicJwk: Jwk; readonly privateJwk: Jwk } {
  const found = publishedPairs.find((published) => published.algorithm === algorithm)
  if (found === undefined) throw new Error(`no pair for ${algorithm}`)
  return found
}

const ed25519 = pair('ed25519')
const p256 = pair('ecdsa-p256-sha256')
const p384 = pair('ecdsa-p384-sha384')
const rsa = pair('rsa-v1_5-sha256')
const invalid = expect.objectContaining({ name: 'CountersignError', code: 'key-invalid' })
const weak = expect.objectContaining({ name: 'CountersignError', code: 'key-weak' })

/** The same member with one zero byte in front, or the last byte cut off. */
function resized(jwk: Jwk, member: string, change: 'longer' | 'shorter'): Jwk {
  const bytes = base64urlDecode(String(jwk[member])) ?? new Uint8Array()
  const resizedBytes = change === 'longer' ? Uint8Array.of(0, ...bytes) : bytes.subarray(0, -1)
  return { ...jwk, [member]: base64urlEncode(resizedBytes) }
}

describe('a JWK', () => {
  it.each([
    ['ed25519', ed25519, 64],
    ['p256', p256, 64],
    ['p384', p384, 96],
    ['rsa', rsa, 256],
  ] as const)('of kind %s is read in both halves', (kind, { publicJwk, privateJwk }, signatureBytes) => {
    expect(readJwk(publicJwk)).toMatchObject({ kind, half: 'public', signatureBytes })
    expect(readJwk(privateJwk)).toMatchObject({ kind, half: 'private', signatureBytes })
  })

  it('passes on only the members that hold the key', () => {
    const { form } = readJwk({
      ...ed25519.publicJwk,
      use: 'sig',
      kid: 'a',
      x5u: 'https://example.com',
      ext: true,
    })
    expect(form).toEqual({ kind: 'jwk', jwk: { kty: 'OKP', crv: 'Ed25519', x: ed25519.publicJwk.x } })
  })

  it.each<[string, Jwk]>([
    ['is empty', {}],
    ['is symmetric', { kty: 'oct', k: 'AAAA' }],
    ['is symmetric and has the numbers of an RSA key', { ...rsa.publicJwk, kty: 'oct', k: 'AAAA' }],
    ['is RSA and has a symmetric key as well', { ...rsa.publicJwk, k: 'AAAA' }],
    ['is RSA and has a curve', { ...rsa.publicJwk, crv: 'P-256' }],
    ['is EC and has a modulus', { ...p256.publicJwk, n: 'AAAA' }],
    ['is OKP and has a y', { ...ed25519.publicJwk, y: ed25519.publicJwk.x }],
    ['is public RSA and has one prime', { ...rsa.publicJwk, p: rsa.privateJwk.p }],
    ['is RSA of more than two primes', { ...rsa.privateJwk, oth: [] }],
    ['is private RSA without its primes', { ...rsa.publicJwk, d: rsa.privateJwk.d }],
    ['is of an unknown kind', { kty: 'AKP', pub: 'AAAA' }],
    ['is of another curve', { ...p256.publicJwk, crv: 'secp256k1' }],
    ['is of the curve of a larger key', { ...p256.publicJwk, crv: 'P-384' }],
    ['is for key agreement', { kty: 'OKP', crv: 'X25519', x: ed25519.publicJwk.x }],
    ['names its kind in lower case', { ...rsa.publicJwk, kty: 'rsa' }],
    ['is for encryption', { ...rsa.publicJwk, use: 'enc' }],
    ['is public and may only sign', { ...rsa.publicJwk, key_ops: ['sign'] }],
    ['is private and may only verify', { ...rsa.privateJwk, key_ops: ['verify'] }],
    ['has no operations', { ...rsa.publicJwk, key_ops: [] }],
    ['lists an operation twice', { ...rsa.publicJwk, key_ops: ['verify', 'verify'] }],
    ['has text as operations', { ...rsa.publicJwk, key_ops: 'verify' } as unknown as Jwk], // what JavaScript may give
    ['is bound to encryption', { ...rsa.publicJwk, alg: 'RSA-OAEP' }],
    ['is bound to PSS with another hash', { ...rsa.publicJwk, alg: 'PS256' }],
    ['is EC and bound to an RSA algorithm', { ...p256.publicJwk, alg: 'RS256' }],
    ['is bound to no algorithm', { ...p256.publicJwk, alg: 'none' }],
    ['has a number for a member', { ...ed25519.publicJwk, x: 5 }],
    ['has padding', { ...ed25519.publicJwk, x: `${ed25519.publicJwk.x}=` }],
    ['has base64 instead of base64url', { ...p256.publicJwk, x: '/'.repeat(43) }],
    ['has a space in a member', { ...ed25519.publicJwk, x: ` ${ed25519.publicJwk.x}` }],
    [
      'has bits behind the last byte',
      { ...ed25519.publicJwk, x: `${String(ed25519.publicJwk.x).slice(0, -1)}t` },
    ],
    ['has an exponent of nothing', { ...rsa.publicJwk, e: '' }],
    ['has an exponent of zero', { ...rsa.publicJwk, e: 'AA' }],
    ['has an exponent with leading zeros', { ...rsa.publicJwk, e: 'AAEAAQ' }],
    ['has a modulus with leading zeros', resized(rsa.publicJwk, 'n', 'longer')],
    ['has a modulus of a megabyte', { ...rsa.publicJwk, n: 'A'.repeat(1_000_000) }],
    ['has an x that is short', resized(p256.publicJwk, 'x', 'shorter')],
    ['has a y that is long', resized(p256.publicJwk, 'y', 'longer')],
    ['has no y', { kty: 'EC', crv: 'P-256', x: p256.publicJwk.x }],
    ['has a private part that is short', resized(p384.privateJwk, 'd', 'shorter')],
    ['has an Ed25519 point that is long', resized(ed25519.publicJwk, 'x', 'longer')],
    ['has an Ed25519 seed that is short', resized(ed25519.privateJwk, 'd', 'shorter')],
    ['inherits its members', Object.create(rsa.publicJwk)],
  ])('that %s is refused', (_fault, jwk) => {
    expect(() => readJwk(jwk)).toThrow(invalid)
  })

  it.each<[string, Jwk]>([
    ['an RSA exponent of 1', { ...rsa.publicJwk, e: 'AQ' }],
    ['an even RSA exponent', { ...rsa.publicJwk, e: 'AQAA' }],
    ['an RSA exponent over 64 bits', { ...rsa.publicJwk, e: base64urlEncode(new Uint8Array(9).fill(1)) }],
    ['an even RSA modulus', { ...rsa.publicJwk, n: base64urlEncode(new Uint8Array(256).fill(0xfe)) }],
    ['an RSA modulus of 2040 bits', { ...rsa.publicJwk, n: base64urlEncode(new Uint8Array(255).fill(0xff)) }],
    ['an RSA modulus of 2047 bits', { ...rsa.publicJwk, n: base64urlEncode(new Uint8Array(256).fill(0x7f)) }],
    ['an Ed25519 point of zeros', { ...ed25519.publicJwk, x: base64urlEncode(new Uint8Array(32)) }],
  ])('with %s is refused as weak', (_fault, jwk) => {
    expect(() => readJwk(jwk)).toThrow(weak)
  })

  it('takes a member that is undefined for absent', () => {
    expect(readJwk({ ...ed25519.privateJwk, d: undefined })).toEqual(readJwk(ed25519.publicJwk))
  })

  it('bound to an algorithm binds the padding', () => {
    expect(readJwk({ ...rsa.publicJwk, alg: 'RS256' }).padding).toBe('pkcs1')
    expect(readJwk({ ...rsa.publicJwk, alg: 'PS512' }).padding).toBe('pss')
    expect(readJwk(rsa.publicJwk).padding).toBeUndefined()
    for (const alg of ['EdDSA', 'Ed25519'])
      expect(readJwk({ ...ed25519.publicJwk, alg }).kind).toBe('ed25519')
  })

  it('as node:crypto writes it is read, for every kind', () => {
    const pairs = [
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
    ]
    for (const { publicKey, privateKey } of pairs) {
      expect(readJwk({ ...publicKey.export({ format: 'jwk' }) }).half).toBe('public')
      expect(readJwk({ ...privateKey.export({ format: 'jwk' }) }).half).toBe('private')
    }
  })

  it('never shows its members in an error', () => {
    for (const member of Object.keys(rsa.privateJwk)) {
      const value = String(rsa.privateJwk[member])
      for (const changed of [`${value}=`, '!'.repeat(20) + value, `AA${value}`]) {
        if (member === 'kty') continue
        try {
          readJwk({ ...rsa.privateJwk, [member]: changed })
        } catch (failure) {
          expect(String(failure)).not.toContain(value.slice(0, 8))
        }
      }
    }
  })
})
