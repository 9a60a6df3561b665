import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../bytes/hex.ts'
import { keyFrom } from '../keys/key.ts'
import { algorithmNamed } from '../testing/contracts/backend-check.ts'
import { ecdsaFromDer, ecdsaToDer } from './ecdsa-der.ts'
import { backend } from './node.ts'

interface Vectors {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly publicKeyPem: string
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: 'valid' | 'invalid' | 'acceptable'
    }[]
  }[]
}

function bytes(hex: string): Uint8Array {
  const decoded = hexDecode(hex)
  if (decoded === undefined) throw new Error('the vector is not hexadecimal')
  return decoded
}

describe('ECDSA signatures in DER', () => {
  it.each([
    ['ecdsa_secp256r1_sha256', 'ecdsa-p256-sha256', 32],
    ['ecdsa_secp384r1_sha384', 'ecdsa-p384-sha384', 48],
  ])('of %s: the valid ones verify, the invalid ones do not', async (file, name, coordinateBytes) => {
    const vectors: Vectors = JSON.parse(
      readFileSync(new URL(`../../../../vectors/wycheproof/${file}.json`, import.meta.url), 'utf8'),
    )
    const wrong: number[] = []
    let judged = 0
    let undecoded = 0
    for (const { publicKeyPem, tests } of vectors.testGroups) {
      const key = keyFrom(publicKeyPem)
      for (const { tcId, msg, sig, result } of tests) {
        judged++
        const signature = ecdsaFromDer(bytes(sig), coordinateBytes)
        if (signature === undefined) undecoded++
        const base = { text: '', body: bytes(msg) }
        const fits =
          signature !== undefined && (await backend.verify(algorithmNamed(name), key, base, signature))
        if (fits !== (result === 'valid')) wrong.push(tcId)
        if (fits && hexEncode(ecdsaToDer(signature)) !== sig) wrong.push(tcId)
      }
    }
    expect(wrong).toEqual([])
    expect(judged).toBe(vectors.numberOfTests)
    expect(undecoded).toBeGreaterThan(150)
  })

  it('come back as they were, leading zeros and high bits included', () => {
    const half = (size: number) =>
      fc.tuple(fc.nat({ max: size }), fc.uint8Array({ minLength: size, maxLength: size })).map(
        // Short numbers are what an encoder gets wrong, so they are made on purpose.
        ([zeros, number]) => number.fill(0, 0, zeros),
      )
    fc.assert(
      fc.property(
        fc.constantFrom(32, 48).chain((size) => fc.tuple(fc.constant(size), half(size), half(size))),
        ([size, r, s]) => {
          const signature = Uint8Array.of(...r, ...s)
          expect(ecdsaFromDer(ecdsaToDer(signature), size)).toEqual(signature)
        },
      ),
    )
  })

  it('have one form: what decodes is what encoding gives', () => {
    const signature = Uint8Array.from({ length: 64 }, (_, i) => i + 100)
    const der = ecdsaToDer(signature)
    let accepted = 0
    for (let at = 0; at < der.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = der.with(at, (der[at] ?? 0) ^ (1 << bit))
        const decoded = ecdsaFromDer(changed, 32)
        if (decoded === undefined) continue
        accepted++
        expect(ecdsaToDer(decoded)).toEqual(changed)
      }
      expect(ecdsaFromDer(der.subarray(0, at), 32)).toBeUndefined()
    }
    expect(accepted).toBeGreaterThan(400)
    expect(ecdsaFromDer(Uint8Array.of(...der, 0), 32)).toBeUndefined()
    expect(ecdsaFromDer(new Uint8Array(100_000).fill(0x30), 32)).toBeUndefined()
  })
})
