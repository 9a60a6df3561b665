import { type HashName, hashes } from '../algorithms/hashes.ts'
import { type SignatureAlgorithm, signatureAlgorithms } from '../algorithms/signatures.ts'
import { encoders, type TextEncoding } from '../bytes/encoding.ts'
import { utf8Encode } from '../bytes/utf8.ts'
import { type Key, readKey } from '../keys/key.ts'
import { checkPoint, checkUse, invalidKey, type KeyMaterial } from '../keys/material.ts'
import { type Secret, secretBytes } from '../keys/secret.ts'
import { readSpki } from '../keys/spki.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Backend } from './backend.ts'

type Bytes = Uint8Array<ArrayBuffer>
type CryptoKeys = Map<string, Promise<CryptoKey>>

function subtle(): SubtleCrypto {
  const found: SubtleCrypto | undefined = globalThis.crypto?.subtle
  if (found === undefined) {
    throw new CountersignError(
      'algorithm-unsupported',
      'this runtime has no WebCrypto; in a browser it needs a secure context (https)',
    )
  }
  return found
}

/** Gives bytes that WebCrypto takes: it refuses those on shared memory. */
function unshared(bytes: Uint8Array): Bytes {
  return isUnshared(bytes) ? bytes : new Uint8Array(bytes)
}

function isUnshared(bytes: Uint8Array): bytes is Bytes {
  return bytes.buffer instanceof ArrayBuffer
}

function dataOf({ text, body }: SignatureBase): Bytes {
  const bytes = utf8Encode(text)
  if (body === undefined) return unshared(bytes)
  const data = new Uint8Array(bytes.length + body.length)
  data.set(bytes)
  data.set(body, bytes.length)
  return data
}

/** Makes a CryptoKey once. What failed is not kept. */
function once(made: CryptoKeys, name: string, make: () => Promise<CryptoKey>): Promise<CryptoKey> {
  const before = made.get(name)
  if (before !== undefined) return before
  const making = make()
  made.set(name, making)
  making.catch(() => made.delete(name))
  return making
}

function unsupported(name: string, cause: unknown): CountersignError {
  return new CountersignError(
    'algorithm-unsupported',
    `${name}: this runtime's WebCrypto cannot compute it`,
    {
      cause,
    },
  )
}

/** Name of a hash in WebCrypto. */
function webHash(hash: HashName): string {
  const { web } = hashes[hash]
  if (web === undefined) {
    throw new CountersignError('algorithm-unsupported', `${hash}: WebCrypto has no such hash`)
  }
  return web
}

async function digest(hash: HashName, bytes: Uint8Array, encoding: TextEncoding): Promise<string> {
  try {
    return encoders[encoding](new Uint8Array(await subtle().digest(webHash(hash), unshared(bytes))))
  } catch (cause) {
    throw cause instanceof CountersignError ? cause : unsupported(hash, cause)
  }
}

const secretKeys = new WeakMap<Secret, CryptoKeys>()

function importSecret(hash: HashName, secret: Secret): Promise<CryptoKey> {
  let made = secretKeys.get(secret)
  if (made === undefined) {
    made = new Map()
    secretKeys.set(secret, made)
  }
  return once(made, hash, async () => {
    const bytes = secretBytes(secret)
    // WebCrypto refuses an empty key. HMAC pads keys with zeros (RFC 2104 section 2): one zero byte is the same key.
    const raw = bytes.length === 0 ? new Uint8Array(1) : unshared(bytes)
    return subtle().importKey('raw', raw, { name: 'HMAC', hash: webHash(hash) }, false, ['sign'])
  })
}

// Always `sign`, and a comparison in constant time by the caller; never `subtle.verify`, which compared with memcmp in
// Node before the fix of CVE-2026-21713.
async function mac(
  hash: HashName,
  secret: Secret,
  base: SignatureBase,
  encoding: TextEncoding,
): Promise<string> {
  try {
    const key = await importSecret(hash, secret)
    return encoders[encoding](new Uint8Array(await subtle().sign('HMAC', key, dataOf(base))))
  } catch (cause) {
    throw cause instanceof CountersignError ? cause : unsupported(`HMAC ${hash}`, cause)
  }
}

/** How WebCrypto names an algorithm: for importing a key, and for using it. */
interface WebAlgorithm {
  readonly forImport: Algorithm | EcKeyImportParams | RsaHashedImportParams
  readonly forUse: Algorithm | EcdsaParams | RsaPssParams
}

function webAlgorithm({ hash, keyKind, padding }: SignatureAlgorithm): WebAlgorithm {
  if (hash === undefined) return { forImport: { name: 'Ed25519' }, forUse: { name: 'Ed25519' } }
  const web = webHash(hash)
  const { digestBytes } = hashes[hash]
  if (keyKind !== 'rsa') {
    const namedCurve = keyKind === 'p256' ? 'P-256' : 'P-384'
    return { forImport: { name: 'ECDSA', namedCurve }, forUse: { name: 'ECDSA', hash: web } }
  }
  if (padding === 'pkcs1') {
    const name = 'RSASSA-PKCS1-v1_5'
    return { forImport: { name, hash: web }, forUse: { name } }
  }
  // The salt is as long as the hash, and MGF1 uses the same hash. RFC 9421 section 3.3.1.
  const name = 'RSA-PSS'
  return { forImport: { name, hash: web }, forUse: { name, saltLength: digestBytes } }
}

/** What is known of a key, and its CryptoKeys by algorithm: WebCrypto binds RSA keys to a padding and a hash. */
interface KnownKey {
  readonly material: KeyMaterial
  readonly made: CryptoKeys
}

const knownKeys = new WeakMap<Key, KnownKey>()

function knownKey(key: Key): KnownKey {
  let known = knownKeys.get(key)
  if (known === undefined) {
    const material = readKey(key.input)
    if (material.kind !== key.kind) throw invalidKey(`expected kind ${key.kind}, got ${material.kind}`)
    known = { material, made: new Map() }
    knownKeys.set(key, known)
  }
  return known
}

function importKey({ material, made }: KnownKey, algorithm: SignatureAlgorithm): Promise<CryptoKey> {
  return once(made, algorithm.name, async () => {
    try {
      return await importMaterial(material, algorithm)
    } catch (cause) {
      if (cause instanceof CountersignError) throw cause
      // Safari before 17, Chromium before 137 and others name Ed25519 so.
      const isLacking = cause instanceof Error && cause.name === 'NotSupportedError'
      throw isLacking ? unsupported(algorithm.name, cause) : invalidKey('WebCrypto cannot import it', cause)
    }
  })
}

async function importMaterial(material: KeyMaterial, algorithm: SignatureAlgorithm): Promise<CryptoKey> {
  const { form, half } = material
  const { forImport } = webAlgorithm(algorithm)
  const usages: KeyUsage[] = [half === 'public' ? 'verify' : 'sign']
  switch (form.kind) {
    case 'spki':
    case 'pkcs8':
      return subtle().importKey(form.kind, unshared(form.der), forImport, false, usages)
    case 'jwk':
      return subtle().importKey('jwk', form.jwk, forImport, false, usages)
    case 'crypto-key':
      await wholeMaterial(material)
      return form.cryptoKey
    default:
      return form satisfies never
  }
}

/** Judges what a public CryptoKey does not show of itself: its point or modulus. */
async function wholeMaterial(material: KeyMaterial): Promise<KeyMaterial> {
  const { form, half } = material
  if (half !== 'public' || form.kind !== 'crypto-key') return material
  return readSpki(new Uint8Array(await subtle().exportKey('spki', form.cryptoKey)))
}

async function verify(
  algorithm: SignatureAlgorithm,
  key: Key,
  base: SignatureBase,
  signature: Uint8Array,
): Promise<boolean> {
  const known = knownKey(key)
  checkUse(known.material, algorithm, 'public')
  const cryptoKey = await importKey(known, algorithm)
  if (signature.length !== known.material.signatureBytes) return false
  try {
    return await subtle().verify(webAlgorithm(algorithm).forUse, cryptoKey, unshared(signature), dataOf(base))
  } catch (cause) {
    throw unsupported(algorithm.name, cause)
  }
}

async function sign(algorithm: SignatureAlgorithm, key: Key, base: SignatureBase): Promise<Uint8Array> {
  const known = knownKey(key)
  checkUse(known.material, algorithm, 'private')
  const cryptoKey = await importKey(known, algorithm)
  try {
    return new Uint8Array(await subtle().sign(webAlgorithm(algorithm).forUse, cryptoKey, dataOf(base)))
  } catch (cause) {
    throw unsupported(algorithm.name, cause)
  }
}

async function checkKey(key: Key): Promise<void> {
  const known = knownKey(key)
  const { kind, padding } = known.material
  for (const algorithm of signatureAlgorithms.values()) {
    // Runtimes that have put SHA-1 away still have the key.
    const fits =
      algorithm.status === 'current' &&
      algorithm.keyKind === kind &&
      (padding === undefined || algorithm.padding === padding)
    if (fits) await importKey(known, algorithm)
  }
  checkPoint(await wholeMaterial(known.material))
}

function random(byteLength: number): Uint8Array {
  // 65536 is the limit of getRandomValues.
  if (!Number.isInteger(byteLength) || byteLength < 0 || byteLength > 65_536) {
    throw new CountersignError('config-invalid', 'random: expected a whole number of bytes from 0 to 65536')
  }
  return globalThis.crypto.getRandomValues(new Uint8Array(byteLength))
}

/** The cryptography of the web platform, all of it asynchronous but `random`. It cannot hash in pieces. */
export const backend: Backend = { name: 'WebCrypto', digest, mac, verify, sign, random, checkKey }
