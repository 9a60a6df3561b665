import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { HashName } from '../algorithms/hashes.ts'
import { type SignatureAlgorithm, signatureAlgorithms } from '../algorithms/signatures.ts'
import { equalText } from '../bytes/equal.ts'
import { hexDecode } from '../bytes/hex.ts'
import { utf8Decode } from '../bytes/utf8.ts'
import type { Jwk } from '../keys/jwk.ts'
import { keyFrom } from '../keys/key.ts'
import { secretFrom } from '../keys/secret.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import type { Backend } from './backend.ts'
import { backend as nodeBackend } from './node.ts'
import { backend as webBackend } from './web.ts'

type Result = 'valid' | 'invalid' | 'acceptable'

interface Vectors<T> {
  readonly numberOfTests: number
  readonly testGroups: readonly T[]
}

interface MacGroup {
  /** In bits. */
  readonly tagSize: number
  readonly tests: readonly { tcId: number; key: string; msg: string; tag: string; result: Result }[]
}

interface SignatureGroup {
  readonly publicKeyPem: string
  readonly publicKeyJwk?: Jwk
  readonly sLen?: number
  readonly tests: readonly { tcId: number; msg: string; sig: string; result: Result }[]
}

function read<T>(name: string): Vectors<T> {
  const url = new URL(`../../../../vectors/wycheproof/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8'))
}

function bytes(hex: string): Uint8Array {
  const decoded = hexDecode(hex)
  if (decoded === undefined) throw new Error('the vector is not hexadecimal')
  return decoded
}

/** Every way to say the same bytes as a base: as body; and as text, and half and half, where they are text. */
function bases(message: Uint8Array): readonly SignatureBase[] {
  const text = utf8Decode(message)
  const asBody = { text: '', body: message }
  if (text === undefined) return [asBody]
  const half = text.length >> 1
  // A cut through a surrogate pair would change the bytes.
  const head = utf8Decode(message.subarray(0, half))
  return head === undefined
    ? [asBody, { text }]
    : [asBody, { text }, { text: head, body: message.subarray(half) }]
}

const backends: readonly Backend[] = [nodeBackend, webBackend]

describe.each(backends)('HMAC on $name', { timeout: 20_000 }, (backend) => {
  it.each<[string, HashName]>([
    ['hmac_sha1', 'sha1'],
    ['hmac_sha256', 'sha256'],
    ['hmac_sha384', 'sha384'],
    ['hmac_sha512', 'sha512'],
  ])('judges %s right, and never takes a shortened tag', async (file, hash) => {
    const vectors = read<MacGroup>(file)
    const wrong: string[] = []
    let judged = 0
    for (const { tagSize, tests } of vectors.testGroups) {
      for (const { tcId, key, msg, tag, result } of tests) {
        judged++
        for (const base of bases(bytes(msg))) {
          const mac = await backend.mac(hash, secretFrom.hex(key), base, 'hex')
          // Half of the groups have tags cut to half: the MAC begins with a valid one, but we compare whole tags only.
          const isTruncated = tagSize / 4 < mac.length
          const fits = equalText(tag, isTruncated ? mac.slice(0, tagSize / 4) : mac)
          if (fits !== (result === 'valid') || (isTruncated && equalText(tag, mac)))
            wrong.push(`tcId ${tcId}`)
        }
      }
    }
    expect(wrong).toEqual([])
    expect(judged).toBe(vectors.numberOfTests)
  })
})

/** Ids of the tests that a backend accepts and that it refuses. */
interface Judged {
  readonly accepted: Record<Result, number[]>
  readonly refused: Record<Result, number[]>
}

async function judge(
  backend: Backend,
  algorithm: SignatureAlgorithm,
  groups: readonly SignatureGroup[],
): Promise<Judged> {
  const accepted: Judged['accepted'] = { valid: [], invalid: [], acceptable: [] }
  const refused: Judged['refused'] = { valid: [], invalid: [], acceptable: [] }
  for (const { publicKeyPem, publicKeyJwk, tests } of groups) {
    const key = keyFrom(publicKeyPem)
    await backend.checkKey(key)
    const jwkKey = publicKeyJwk === undefined ? key : keyFrom(publicKeyJwk)
    for (const { tcId, msg, sig, result } of tests) {
      const [base = { text: '' }, ...others] = bases(bytes(msg))
      const fits = await backend.verify(algorithm, key, base, bytes(sig))
      ;(fits ? accepted : refused)[result].push(tcId)
      const again = await backend.verify(algorithm, jwkKey, others.at(-1) ?? base, bytes(sig))
      if (again !== fits)
        throw new Error(`tcId ${tcId}: PEM and JWK, or text and body, are judged differently`)
    }
  }
  return { accepted, refused }
}

function algorithmNamed(name: string): SignatureAlgorithm {
  const algorithm = signatureAlgorithms.get(name)
  if (algorithm === undefined) throw new Error(`no algorithm ${name}`)
  return algorithm
}

describe.each(backends)('signatures on $name', { timeout: 20_000 }, (backend) => {
  it.each([
    ['ed25519', 'ed25519', 88, 63],
    ['ecdsa_secp256r1_sha256_p1363', 'ecdsa-p256-sha256', 173, 89],
    ['ecdsa_secp384r1_sha384_p1363', 'ecdsa-p384-sha384', 193, 87],
    ['rsa_pss_4096_sha512_mgf1_64', 'rsa-pss-sha512', 132, 47],
    ['rsa_signature_2048_sha256', 'rsa-v1_5-sha256', 9, 249],
    ['rsa_signature_3072_sha256', 'rsa-v1_5-sha256', 8, 250],
  ])('accepts what is valid in %s and refuses what is invalid', async (file, name, valid, invalid) => {
    const { accepted, refused } = await judge(
      backend,
      algorithmNamed(name),
      read<SignatureGroup>(file).testGroups,
    )
    expect(accepted.invalid).toEqual([])
    expect(refused.valid).toEqual([])
    expect(accepted.valid).toHaveLength(valid)
    expect(refused.invalid).toHaveLength(invalid)
  })

  it.each(['rsa_signature_2048_sha256', 'rsa_signature_3072_sha256'])(
    'refuses the one acceptable signature in %s: its DigestInfo lacks the NULL',
    async (file) => {
      // RFC 8017 section 9.2 note 1 lets a verifier take it. One signature has one encoding here.
      const { accepted, refused } = await judge(
        backend,
        algorithmNamed('rsa-v1_5-sha256'),
        read<SignatureGroup>(file).testGroups,
      )
      expect(accepted.acceptable).toEqual([])
      expect(refused.acceptable).toEqual([8])
    },
  )

  it('refuses every RSA-PSS signature whose salt is not of 64 bytes', async () => {
    const groups = [
      ...read<SignatureGroup>('rsa_pss_4096_sha512_mgf1_32').testGroups,
      ...read<SignatureGroup>('rsa_pss_misc').testGroups.filter(({ sLen }) => sLen !== 64),
    ]
    const { accepted, refused } = await judge(backend, algorithmNamed('rsa-pss-sha512'), groups)
    expect(accepted.valid).toEqual([])
    expect(accepted.invalid).toEqual([])
    expect(refused.valid).toHaveLength(132 + 5)
  })

  it('accepts the RSA-PSS signature of rsa_pss_misc whose salt is of 64 bytes', async () => {
    const groups = read<SignatureGroup>('rsa_pss_misc').testGroups.filter(({ sLen }) => sLen === 64)
    const { accepted } = await judge(backend, algorithmNamed('rsa-pss-sha512'), groups)
    expect(accepted.valid).toHaveLength(1)
  })
})
