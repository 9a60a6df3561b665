import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { base64Encode } from '../bytes/base64.ts'
import { concatBytes } from '../bytes/concat.ts'
import { hexDecode, hexEncode } from '../bytes/hex.ts'
import { CountersignError } from '../reasons/error.ts'
import { publishedPairs } from '../testing/contracts/backend-keys.ts'
import { keyFrom } from './key.ts'
import { readPem } from './pem.ts'

const invalid = expect.objectContaining({ name: 'CountersignError', code: 'key-invalid' })
const weak = expect.objectContaining({ name: 'CountersignError', code: 'key-weak' })

const [ed25519Pair, p256Pair] = publishedPairs
const ed25519Pem = ed25519Pair?.publicPem ?? ''
const p256Der = bytesOf(p256Pair?.publicPem ?? '')

function bytesOf(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(pem.split('\n').slice(1, -1).join(''), 'base64'))
}

function pemOf(der: Uint8Array, label = 'PUBLIC KEY'): string {
  return `-----BEGIN ${label}-----\n${base64Encode(der)}\n-----END ${label}-----\n`
}

/** DER with one hexadecimal run replaced by another. */
function altered(der: Uint8Array, from: string, to: string): Uint8Array {
  const before = hexEncode(der)
  if (!before.includes(from)) throw new Error('nothing to alter')
  return hexDecode(before.replace(from, to)) ?? new Uint8Array()
}

describe('PEM text', () => {
  it.each([
    ['PKCS#1', { type: 'pkcs1' }, 'rsa'],
    ['SubjectPublicKeyInfo', { type: 'spki' }, 'rsa'],
  ] as const)('of an RSA key in %s is read', (_form, { type }, kind) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const text = publicKey.export({ format: 'pem', type }).toString()
    expect(readPem(text)).toMatchObject({ kind, half: 'public', signatureBytes: 256, padding: undefined })
  })

  it.each(['pkcs1', 'pkcs8'] as const)('of a private RSA key in %s is read', (type) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })
    const text = privateKey.export({ format: 'pem', type }).toString()
    expect(readPem(text)).toMatchObject({ kind: 'rsa', half: 'private', signatureBytes: 384 })
  })

  it.each([
    ['sec1', 'P-256', 'p256'],
    ['pkcs8', 'P-256', 'p256'],
    ['sec1', 'P-384', 'p384'],
    ['pkcs8', 'P-384', 'p384'],
  ] as const)('of a private EC key in %s on %s is read', (type, namedCurve, kind) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve })
    expect(readPem(privateKey.export({ format: 'pem', type }).toString())).toMatchObject({
      kind,
      half: 'private',
    })
  })

  it('may have CRLF, one long line, and white space around it', () => {
    const plain = readPem(ed25519Pem)
    expect(readPem(ed25519Pem.replaceAll('\n', '\r\n'))).toEqual(plain)
    expect(readPem(`\n  ${ed25519Pem}\n\n`)).toEqual(plain)
    expect(readPem(pemOf(bytesOf(ed25519Pem)))).toEqual(plain)
  })

  it.each<[string, string]>([
    ['is empty', ''],
    ['is not PEM', 'hello'],
    ['is the base64 alone', ed25519Pem.split('\n')[1] ?? ''],
    ['has text in front', `Bag Attributes\n${ed25519Pem}`],
    ['has text behind', `${ed25519Pem}\nmore`],
    ['has two blocks', `${ed25519Pem}\n${ed25519Pem}`],
    ['ends as something else', ed25519Pem.replace('END PUBLIC', 'END PRIVATE')],
    ['does not end', ed25519Pem.replace(/-----END.*/s, '')],
    ['has no content', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----'],
    ['has a lower-case label', ed25519Pem.replaceAll('PUBLIC KEY', 'public key')],
    ['has four dashes', ed25519Pem.replaceAll('-----', '----')],
    ['has a space in the base64', ed25519Pem.replace('MCow', 'MC ow')],
    ['has a header', ed25519Pem.replace('KEY-----\n', 'KEY-----\nProc-Type: 4,ENCRYPTED\n\n')],
    ['lacks padding', ed25519Pem.replace('=\n', '\n')],
    ['is base64url', ed25519Pem.replaceAll('/', '_')],
    ['is longer than 16 KiB', pemOf(new Uint8Array(13_000))],
    ['is an encrypted key', pemOf(p256Der, 'ENCRYPTED PRIVATE KEY')],
    ['is a certificate', pemOf(p256Der, 'CERTIFICATE')],
    ['is an OpenSSH key', pemOf(p256Der, 'OPENSSH PRIVATE KEY')],
    [
      'has the parameters of the curve in front',
      pemOf(hexDecode('06082a8648ce3d030107') ?? p256Der, 'EC PARAMETERS'),
    ],
    ['is a public key that says to be private', pemOf(p256Der, 'PRIVATE KEY')],
    ['is a public key that says to be PKCS#1', pemOf(p256Der, 'RSA PUBLIC KEY')],
  ])('that %s is refused', (_fault, text) => {
    expect(() => readPem(text)).toThrow(invalid)
  })

  it.each<[string, Uint8Array]>([
    ['a byte behind its end', concatBytes([p256Der, Uint8Array.of(0)])],
    ['its last byte cut off', p256Der.subarray(0, -1)],
    ['an overlong length', altered(p256Der, '3059', '308159')],
    ['an indefinite length', altered(p256Der, '3059', '3080')],
    ['a length of four bytes', altered(p256Der, '3059', '308400000059')],
    ['a tag of several bytes', altered(p256Der, '3059', '3f59')],
    ['unused bits in its bit string', altered(p256Der, '034200', '034201')],
    ['a compressed point', altered(p256Der, '03420004', '03420002')],
    ['a hybrid point', altered(p256Der, '03420004', '03420006')],
    ['another curve named', altered(p256Der, '06082a8648ce3d030107', '06082a8648ce3d030101')],
    [
      'the name of a curve larger than its point',
      altered(
        p256Der,
        '3059301306072a8648ce3d020106082a8648ce3d030107',
        '3056301006072a8648ce3d020106052b81040022',
      ),
    ],
    [
      'no curve',
      altered(p256Der, '3059301306072a8648ce3d020106082a8648ce3d030107', '304f300906072a8648ce3d0201'),
    ],
    [
      'explicit parameters instead of a curve',
      altered(p256Der, '06082a8648ce3d030107', '30082a8648ce3d030107'),
    ],
    ['another algorithm', altered(p256Der, '06072a8648ce3d0201', '06072a8648ce3d0202')],
    ['Ed25519 parameters', altered(bytesOf(ed25519Pem), '302a300506032b6570', '302c300706032b65700500')],
  ])('with %s is refused', (_fault, der) => {
    expect(() => readPem(pemOf(der))).toThrow(invalid)
  })

  it.each(['x25519', 'x448', 'ed448', 'secp256k1', 'P-521'] as const)('of a key of %s is refused', (name) => {
    const { publicKey, privateKey } =
      name === 'x25519'
        ? generateKeyPairSync('x25519')
        : name === 'x448'
          ? generateKeyPairSync('x448')
          : name === 'ed448'
            ? generateKeyPairSync('ed448')
            : generateKeyPairSync('ec', { namedCurve: name })
    expect(() => readPem(publicKey.export({ format: 'pem', type: 'spki' }).toString())).toThrow(invalid)
    expect(() => readPem(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())).toThrow(invalid)
  })

  it.each([512, 1024, 2040, 2047, 2050])('of an RSA key of %i bits is refused as weak', (modulusLength) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
    for (const type of ['spki', 'pkcs1'] as const) {
      expect(() => readPem(publicKey.export({ format: 'pem', type }).toString())).toThrow(weak)
    }
    for (const type of ['pkcs8', 'pkcs1'] as const) {
      expect(() => readPem(privateKey.export({ format: 'pem', type }).toString())).toThrow(weak)
    }
  })

  it('of an Ed25519 point of small order is refused as weak, also from a KeyObject', () => {
    const der = bytesOf(ed25519Pem)
    const identity = pemOf(altered(der, hexEncode(der.subarray(-32)), `01${'00'.repeat(31)}`))
    expect(() => readPem(identity)).toThrow(weak)
    expect(() => keyFrom(createPublicKey(identity))).toThrow(weak)
  })

  it('of a PSS key is bound to PSS, and refused where it is bound to another hash', () => {
    const read = (hash: string, mask: string) => {
      const { publicKey } = generateKeyPairSync('rsa-pss', {
        modulusLength: 2048,
        hashAlgorithm: hash,
        mgf1HashAlgorithm: mask,
      })
      return readPem(publicKey.export({ format: 'pem', type: 'spki' }).toString())
    }
    expect(read('sha512', 'sha512')).toMatchObject({ kind: 'rsa', padding: 'pss' })
    expect(() => read('sha256', 'sha256')).toThrow(invalid)
    expect(() => read('sha512', 'sha256')).toThrow(invalid)
    expect(() => read('sha256', 'sha512')).toThrow(invalid)
    const free = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
    expect(readPem(free.export({ format: 'pem', type: 'spki' }).toString()).padding).toBe('pss')
  })

  it('changed in any byte is read or refused, never anything else, and OpenSSL reads what is read', () => {
    for (const { publicPem, privatePem } of publishedPairs) {
      for (const pem of [publicPem, privatePem]) {
        const label = /BEGIN (.*)-----/.exec(pem)?.[1] ?? ''
        const der = bytesOf(pem)
        for (let at = 0; at < Math.min(der.length, 160); at++) {
          for (const value of [0, 0x30, 0x7f, 0x80, 0x82, 0xff]) {
            const text = pemOf(der.with(at, value), label)
            const { read, failure } = attempt(text)
            expect(read !== undefined || failure instanceof CountersignError).toBe(true)
            // Numbers that are wrong but well formed show when they are used; structure is what both must agree on.
            if (read?.kind === 'rsa' && read.half === 'public')
              expect(() => createPublicKey(text)).not.toThrow()
          }
        }
      }
    }
  })
})

function attempt(text: string): { readonly read?: ReturnType<typeof readPem>; readonly failure?: unknown } {
  try {
    return { read: readPem(text) }
  } catch (failure) {
    return { failure }
  }
}
