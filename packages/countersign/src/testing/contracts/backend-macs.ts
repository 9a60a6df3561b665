import type { HashName } from '../../algorithms/hashes.ts'
import { base64Decode, base64urlDecode } from '../../bytes/base64.ts'
import { concatBytes } from '../../bytes/concat.ts'
import { hexEncode } from '../../bytes/hex.ts'
import { utf8Encode } from '../../bytes/utf8.ts'
import type { Backend } from '../../crypto/backend.ts'
import { type Secret, secretFrom } from '../../keys/secret.ts'
import { type BackendBehaviour, check, checkSame, hex } from './backend-check.ts'

/** A published HMAC: key and text or bytes, and the tag of each hash, in hex. */
interface PublishedMac {
  readonly source: string
  readonly key: Uint8Array
  readonly data: Uint8Array
  readonly tags: Partial<Readonly<Record<HashName, string>>>
}

const longText =
  'This is a test using a larger than block-size key and a larger than block-size data. ' +
  'The key needs to be hashed before being used by the HMAC algorithm.'

const publishedMacs: readonly PublishedMac[] = [
  {
    source: 'RFC 4231 section 4.2, RFC 2202 section 3 case 1',
    key: new Uint8Array(20).fill(0x0b),
    data: utf8Encode('Hi There'),
    tags: {
      sha1: 'b617318655057264e28bc0b6fb378c8ef146be00',
      sha256: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      sha384:
        'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
      sha512:
        '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
    },
  },
  {
    source: 'RFC 4231 section 4.3, RFC 2202 section 3 case 2',
    key: utf8Encode('Jefe'),
    data: utf8Encode('what do ya want for nothing?'),
    tags: {
      sha1: 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
      sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
      sha384:
        'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
      sha512:
        '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    },
  },
  {
    source: 'RFC 4231 section 4.4, RFC 2202 section 3 case 3',
    key: new Uint8Array(20).fill(0xaa),
    data: new Uint8Array(50).fill(0xdd),
    tags: {
      sha1: '125d7342b9ac11cd91a39af48aa17b4f63f175d3',
      sha256: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
      sha384:
        '88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27',
      sha512:
        'fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb',
    },
  },
  {
    source: 'RFC 4231 section 4.7',
    key: new Uint8Array(131).fill(0xaa),
    data: utf8Encode('Test Using Larger Than Block-Size Key - Hash Key First'),
    tags: {
      sha256: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
      sha384:
        '4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952',
      sha512:
        '80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598',
    },
  },
  {
    source: 'RFC 4231 section 4.8',
    key: new Uint8Array(131).fill(0xaa),
    data: utf8Encode(longText),
    tags: {
      sha256: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
      sha384:
        '6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e',
      sha512:
        'e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58',
    },
  },
  {
    source: 'RFC 2202 section 3 case 6',
    key: new Uint8Array(80).fill(0xaa),
    data: utf8Encode('Test Using Larger Than Block-Size Key - Hash Key First'),
    tags: { sha1: 'aa4ae5e15272d00e95705637ce8a3b55ed402112' },
  },
  {
    // What every implementation gives for a key of no bytes; WebCrypto has to be talked into it.
    source: 'RFC 2104 with an empty key',
    key: new Uint8Array(),
    data: new Uint8Array(),
    tags: {
      sha1: 'fbdb1d1b18aa6c08324b7d64b71fb76370690e1d',
      sha256: 'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad',
    },
  },
]

const hashNames: readonly HashName[] = ['sha1', 'sha256', 'sha384', 'sha512']

// Both sides of block sizes, of pools and buffers an implementation may keep, and one that no buffer holds.
const sizes: readonly number[] = [
  0, 1, 55, 56, 63, 64, 65, 127, 128, 1023, 1984, 1985, 5440, 5441, 16_319, 16_320, 16_321, 16_384, 70_001,
]

/** What a backend must do with HMAC: published values, encodings, text and body, several secrets at once. */
export function macBehaviours(backend: Backend): readonly BackendBehaviour[] {
  const macHex = async (hash: HashName, secret: Secret, text: string, body?: Uint8Array) =>
    backend.mac(hash, secret, body === undefined ? { text } : { text, body }, 'hex')
  return [
    ...publishedMacs.map(({ source, key, data, tags }) => ({
      name: `gives the HMAC of ${source}`,
      run: async () => {
        const secret = secretFrom.bytes(key)
        for (const hash of hashNames) {
          const tag = tags[hash]
          if (tag !== undefined) checkSame(await macHex(hash, secret, '', data), tag, `HMAC ${hash}`)
        }
      },
    })),
    {
      name: 'writes an HMAC as hex, base64 and base64url alike',
      run: async () => {
        const secret = secretFrom.utf8('Jefe')
        for (const hash of hashNames) {
          for (let i = 0; i < 40; i++) {
            const base = { text: `encoding ${i}` }
            const asHex = await backend.mac(hash, secret, base, 'hex')
            const asBase64 = base64Decode(await backend.mac(hash, secret, base, 'base64'))
            const asUrl = base64urlDecode(await backend.mac(hash, secret, base, 'base64url'))
            check(asBase64 !== undefined && hexEncode(asBase64) === asHex, 'base64 says the same as hex')
            check(asUrl !== undefined && hexEncode(asUrl) === asHex, 'base64url says the same as hex')
          }
        }
      },
    },
    {
      name: 'takes the text of a base as UTF-8, with a lone surrogate as U+FFFD',
      run: async () => {
        const secret = secretFrom.utf8('key')
        for (const text of ['a', 'é', '€', '😀', '\0', '\ufeff', '\ud800', 'a\udc00b', 'é€😀'.repeat(1000)]) {
          const asBytes = await macHex('sha256', secret, '', utf8Encode(text))
          check((await macHex('sha256', secret, text)) === asBytes, 'text and its UTF-8 have one HMAC')
        }
        const euro = await macHex('sha256', secret, '\u20ac')
        check(euro === (await macHex('sha256', secret, '', hex('e282ac'))), 'U+20AC is E2 82 AC')
        const lone = await macHex('sha256', secret, '\ud800')
        check(lone === (await macHex('sha256', secret, '', hex('efbfbd'))), 'a lone surrogate is EF BF BD')
      },
    },
    {
      name: 'puts the body behind the text, whatever the sizes',
      run: async () => {
        const secret = secretFrom.utf8('key')
        for (const size of sizes) {
          const text = 'abcdefghij'.repeat(Math.ceil(size / 10)).slice(0, size)
          const bytes = utf8Encode(text)
          const whole = await macHex('sha256', secret, '', bytes)
          check((await macHex('sha256', secret, text)) === whole, `${size} bytes as text`)
          check(
            (await macHex('sha256', secret, text, new Uint8Array())) === whole,
            `${size} bytes, empty body`,
          )
          const cut = Math.floor(size / 3)
          const split = await macHex('sha256', secret, text.slice(0, cut), bytes.subarray(cut))
          check(split === whole, `${size} bytes, a third of them as text`)
        }
      },
    },
    {
      name: 'reads a body that is a window of a larger buffer',
      run: async () => {
        const buffer = concatBytes([hex('ffff'), utf8Encode('body'), hex('ffff')])
        const window = await macHex('sha256', secretFrom.utf8('key'), '', buffer.subarray(2, 6))
        check(window === (await macHex('sha256', secretFrom.utf8('key'), 'body')), 'only the window counts')
        check(hexEncode(buffer) === 'ffff626f6479ffff', 'the buffer is as it was')
      },
    },
    {
      name: 'keeps secrets apart when they are used in turn, at once, and with several hashes',
      run: async () => {
        const alone = new Map<string, string>()
        const names = Array.from({ length: 12 }, (_, i) => `secret ${i}`)
        for (const name of names) {
          for (const hash of hashNames) {
            alone.set(`${hash} ${name}`, await macHex(hash, secretFrom.utf8(name), `text of ${name}`))
          }
        }
        check(new Set(alone.values()).size === names.length * hashNames.length, 'no two are alike')
        const secrets = names.map((name) => ({ name, secret: secretFrom.utf8(name) }))
        for (let round = 0; round < 3; round++) {
          await Promise.all(
            secrets.flatMap(({ name, secret }) =>
              hashNames.map(async (hash) => {
                const again = await macHex(hash, secret, `text of ${name}`)
                check(again === alone.get(`${hash} ${name}`), 'each is what it was alone')
              }),
            ),
          )
        }
      },
    },
  ]
}
