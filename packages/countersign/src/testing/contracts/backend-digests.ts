import type { HashName } from '../../algorithms/hashes.ts'
import { base64Encode, base64urlEncode } from '../../bytes/base64.ts'
import { hexEncode } from '../../bytes/hex.ts'
import { utf8Encode } from '../../bytes/utf8.ts'
import type { Backend } from '../../crypto/backend.ts'
import { type BackendBehaviour, check, checkRefused, checkSame, hex } from './backend-check.ts'

/** A published digest. */
interface PublishedDigest {
  readonly source: string
  readonly data: () => Uint8Array
  readonly digests: Partial<Readonly<Record<HashName, string>>>
}

const publishedDigests: readonly PublishedDigest[] = [
  {
    source: 'the empty string (NIST CAVS, zero-length message)',
    data: () => new Uint8Array(),
    digests: {
      sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      sha384:
        '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
      sha512:
        'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    },
  },
  {
    source: 'abc (FIPS 180-2 appendix A.1, B.1, C.1, D.1)',
    data: () => utf8Encode('abc'),
    digests: {
      sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      sha384:
        'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
      sha512:
        'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    },
  },
  {
    source: 'a million times a (FIPS 180-2 appendix A.3, B.3, C.3, D.3)',
    data: () => new Uint8Array(1_000_000).fill(0x61),
    digests: {
      sha1: '34aa973cd4c4daa4f61eeb2bdbad27316534016f',
      sha256: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
      sha384:
        '9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985',
      sha512:
        'e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b',
    },
  },
]

const hashNames: readonly HashName[] = ['sha1', 'sha256', 'sha384', 'sha512']

/** What a backend must do with hashes and randomness. */
export function digestBehaviours(backend: Backend): readonly BackendBehaviour[] {
  return [
    ...publishedDigests.map(({ source, data, digests }) => ({
      name: `gives the digests of ${source}`,
      run: async () => {
        for (const hash of hashNames) {
          const digest = digests[hash]
          if (digest !== undefined) checkSame(await backend.digest(hash, data(), 'hex'), digest, hash)
        }
      },
    })),
    {
      name: 'writes a digest as hex, base64 and base64url alike',
      run: async () => {
        for (let i = 0; i < 40; i++) {
          const bytes = utf8Encode(`encoding ${i}`)
          const digest = hex(await backend.digest('sha256', bytes, 'hex'))
          checkSame(await backend.digest('sha256', bytes, 'base64'), base64Encode(digest), 'base64')
          checkSame(await backend.digest('sha256', bytes, 'base64url'), base64urlEncode(digest), 'base64url')
        }
      },
    },
    {
      name: 'digests only the window that a byte array is',
      run: async () => {
        const window = utf8Encode('..abc..').subarray(2, 5)
        const digest = await backend.digest('sha256', window, 'hex')
        checkSame(digest, publishedDigests[1]?.digests.sha256 ?? '', 'sha256 of the window')
      },
    },
    {
      name: 'gives the same digest in pieces, several at once, where it can hash in pieces',
      run: async () => {
        if (backend.hasher === undefined) return
        const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7 + (i >> 8)) & 255)
        const hashers = []
        for (const hash of hashNames)
          for (const piece of [1, 63, 64, 1000]) hashers.push({ hash, piece, hasher: backend.hasher(hash) })
        for (const { piece, hasher } of hashers) {
          for (let at = 0; at < bytes.length; at += piece) hasher.update(bytes.subarray(at, at + piece))
        }
        for (const { hash, piece, hasher } of hashers) {
          checkSame(hasher.digest(), await backend.digest(hash, bytes, 'base64'), `${hash} by ${piece} bytes`)
        }
        checkSame(
          backend.hasher('sha256').digest(),
          await backend.digest('sha256', new Uint8Array(), 'base64'),
          'no piece',
        )
      },
    },
    {
      name: 'gives random bytes of any length, never the same twice, each in memory of its own',
      run: async () => {
        const seen = new Set<string>()
        for (let i = 0; i < 2000; i++) {
          const bytes = backend.random(16)
          check(bytes.length === 16, '16 bytes')
          seen.add(hexEncode(bytes))
          bytes.fill(0)
        }
        check(seen.size === 2000, '2000 times 16 random bytes are all different')
        for (const length of [0, 1, 31, 1024, 1025, 4095, 4096, 4097, 65_536]) {
          const bytes = backend.random(length)
          check(bytes.length === length && bytes.buffer.byteLength === length, `${length} bytes and no more`)
        }
        const all = new Set(backend.random(65_536))
        check(all.size === 256, 'every byte value occurs')
      },
    },
    {
      name: 'refuses a length of random bytes that cannot be',
      run: async () => {
        for (const length of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 65_537]) {
          await checkRefused('config-invalid', String(length), () => backend.random(length))
        }
      },
    },
  ]
}
