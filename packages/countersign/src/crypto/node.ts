import * as nodeCrypto from 'node:crypto'
import { type HashName, hashes } from '../algorithms/hashes.ts'
import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import type { TextEncoding } from '../bytes/encoding.ts'
import { type Key, readKey } from '../keys/key.ts'
import { checkPoint, checkUse, invalidKey, type KeyForm, type KeyMaterial } from '../keys/material.ts'
import { type Secret, secretBytes } from '../keys/secret.ts'
import type { MaybePromise } from '../message/body.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Backend, Hasher } from './backend.ts'
import { backend as webBackend } from './web.ts'

/** What is derived from a secret for one hash: the padded blocks of RFC 2104 section 2, and the key for large inputs. */
interface MacState {
  /** Key XOR ipad, one block. */
  readonly inner: Buffer
  /** Key XOR opad, one block, with room for the inner digest behind it. */
  readonly outer: Buffer
  readonly blockBytes: number
  readonly node: string
  /** Made when an input is first too large for the scratch buffer. */
  keyObject: nodeCrypto.KeyObject | undefined
}

// Absent before Node 21.7 and 20.12, and in runtimes that imitate node:crypto.
const oneShot: typeof nodeCrypto.hash | undefined = nodeCrypto.hash

// Everything a one-shot HMAC hashes is put here. Larger inputs go to createHmac, which they pay for anyway.
const scratchBytes = 16_384
const scratch = Buffer.allocUnsafeSlow(scratchBytes)
// The inner block that stands at the start of the scratch buffer: usually the one needed next.
let innerInScratch: Buffer | undefined
// Windows on the scratch buffer by length, as far as usual bases go: making one costs 0.1 us and 100 bytes of garbage.
const windows: (Buffer | undefined)[] = new Array(2049).fill(undefined)

type MacStates = Partial<Record<HashName, MacState | undefined>>
const macStates = new WeakMap<Secret, MacStates>()

function macState(hash: HashName, secret: Secret): MacState {
  let states = macStates.get(secret)
  if (states === undefined) {
    states = { sha1: undefined, sha256: undefined, sha384: undefined, sha512: undefined }
    macStates.set(secret, states)
  }
  states[hash] ??= deriveMacState(hash, secret)
  return states[hash]
}

function windowTo(end: number): Buffer {
  if (end >= windows.length) return scratch.subarray(0, end)
  let window = windows[end]
  if (window === undefined) {
    window = scratch.subarray(0, end)
    windows[end] = window
  }
  return window
}

function deriveMacState(hash: HashName, secret: Secret): MacState {
  const { node, blockBytes, digestBytes } = hashes[hash]
  const bytes = secretBytes(secret)
  const key = bytes.length > blockBytes ? nodeCrypto.createHash(node).update(bytes).digest() : bytes
  const inner = Buffer.alloc(blockBytes, 0x36)
  const outer = Buffer.alloc(blockBytes + digestBytes, 0x5c)
  for (let i = 0; i < key.length; i++) {
    const byte = key[i] ?? 0
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  return { inner, outer, blockBytes, node, keyObject: undefined }
}

/**
 * HMAC as two one-shot hashes over precomputed blocks: 0.47 of `createHmac(KeyObject)` on a 468-byte base (bench/crypto.ts).
 * The two hashes alone, by the form of the inner digest: `binary` (latin1) 0.47, `base64` 0.50, `hex` 0.51, Buffer 0.70.
 * Writing ASCII text as latin1 instead of UTF-8 saves 0.02 us; finding out that it is ASCII costs 0.06 us or more.
 * Nothing here can be re-entered: no call leaves this function, so one scratch buffer serves everybody.
 */
function mac(hash: HashName, secret: Secret, base: SignatureBase, encoding: TextEncoding): string {
  const state = macState(hash, secret)
  const { text, body } = base
  const bodyBytes = body === undefined ? 0 : body.length
  const start = state.blockBytes
  // A UTF-16 unit is at most three bytes of UTF-8, so this bound needs no measuring of the text.
  if (oneShot === undefined || start + text.length * 3 + bodyBytes > scratchBytes) {
    state.keyObject ??= nodeCrypto.createSecretKey(secretBytes(secret))
    const hmac = nodeCrypto.createHmac(state.node, state.keyObject).update(text, 'utf8')
    if (body !== undefined) hmac.update(body)
    return hmac.digest(encoding)
  }
  if (innerInScratch !== state.inner) {
    scratch.set(state.inner)
    innerInScratch = state.inner
  }
  let end = start + scratch.write(text, start)
  if (body !== undefined) {
    scratch.set(body, end)
    end += bodyBytes
  }
  state.outer.write(oneShot(state.node, windowTo(end), 'binary'), start, 'binary')
  return oneShot(state.node, state.outer, encoding)
}

function digest(hash: HashName, bytes: Uint8Array, encoding: TextEncoding): string {
  const { node } = hashes[hash]
  return oneShot === undefined
    ? nodeCrypto.createHash(node).update(bytes).digest(encoding)
    : oneShot(node, bytes, encoding)
}

function hasher(hash: HashName): Hasher {
  const running = nodeCrypto.createHash(hashes[hash].node)
  return {
    update: (bytes) => {
      running.update(bytes)
    },
    digest: () => running.digest('base64'),
  }
}

/** A key as node:crypto takes it. */
interface ImportedKey {
  readonly material: KeyMaterial
  /** `undefined` for a private CryptoKey that must not be taken out: WebCrypto signs with it. */
  readonly keyObject: nodeCrypto.KeyObject | undefined
}

const importedKeys = new WeakMap<Key, ImportedKey>()

// Importing costs more than verifying (258 against 135 us for Ed25519 PEM), so it happens once per Key object.
function importKey(key: Key): ImportedKey {
  let imported = importedKeys.get(key)
  if (imported === undefined) {
    imported = readImportedKey(key)
    importedKeys.set(key, imported)
  }
  return imported
}

function readImportedKey(key: Key): ImportedKey {
  let material = readKey(key.input)
  let keyObject: nodeCrypto.KeyObject | undefined
  if (material.form.kind !== 'crypto-key') {
    keyObject = keyObjectOf(material.form, material.half)
  } else if (material.form.cryptoKey.extractable) {
    keyObject = nodeCrypto.KeyObject.from(material.form.cryptoKey)
    // A CryptoKey does not show its point or modulus; they are judged from the key taken out of it.
    material = { ...readKey(keyObject), padding: material.padding }
  }
  if (material.kind !== key.kind) throw invalidKey(`expected kind ${key.kind}, got ${material.kind}`)
  return { material, keyObject }
}

function keyObjectOf(
  form: Exclude<KeyForm, { kind: 'crypto-key' }>,
  half: KeyMaterial['half'],
): nodeCrypto.KeyObject {
  try {
    switch (form.kind) {
      case 'spki':
        return nodeCrypto.createPublicKey({ key: Buffer.from(form.der), format: 'der', type: 'spki' })
      case 'pkcs8':
        return nodeCrypto.createPrivateKey({ key: Buffer.from(form.der), format: 'der', type: 'pkcs8' })
      case 'jwk':
        return half === 'public'
          ? nodeCrypto.createPublicKey({ key: form.jwk, format: 'jwk' })
          : nodeCrypto.createPrivateKey({ key: form.jwk, format: 'jwk' })
      default:
        return form satisfies never
    }
  } catch (cause) {
    throw invalidKey('node:crypto cannot import it', cause)
  }
}

/** Checks that a key is the right half, for this algorithm, and gives it. */
function keyFor(algorithm: SignatureAlgorithm, key: Key, half: KeyMaterial['half']): ImportedKey {
  const imported = importKey(key)
  checkUse(imported.material, algorithm, half)
  return imported
}

/** What node:crypto signs and verifies with. */
interface KeyOptions extends nodeCrypto.SigningOptions {
  readonly key: nodeCrypto.KeyObject
}

function optionsFor({ hash, padding }: SignatureAlgorithm, key: nodeCrypto.KeyObject): KeyOptions {
  if (padding === 'pkcs1') return { key, padding: nodeCrypto.constants.RSA_PKCS1_PADDING }
  if (padding === 'pss' && hash !== undefined) {
    // The salt is as long as the hash and MGF1 uses the same hash (RFC 9421 section 3.3.1). An exact length: without
    // one, Node accepts any.
    return {
      key,
      padding: nodeCrypto.constants.RSA_PKCS1_PSS_PADDING,
      saltLength: hashes[hash].digestBytes,
    }
  }
  return { key, dsaEncoding: 'ieee-p1363' }
}

function hashFor({ hash }: SignatureAlgorithm): string | null {
  return hash === undefined ? null : hashes[hash].node
}

function dataOf({ text, body }: SignatureBase): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  return body === undefined ? bytes : Buffer.concat([bytes, body])
}

function verify(
  algorithm: SignatureAlgorithm,
  key: Key,
  base: SignatureBase,
  signature: Uint8Array,
): MaybePromise<boolean> {
  const { material, keyObject } = keyFor(algorithm, key, 'public')
  if (keyObject === undefined) return webBackend.verify(algorithm, key, base, signature)
  if (signature.length !== material.signatureBytes) return false
  try {
    return nodeCrypto.verify(hashFor(algorithm), dataOf(base), optionsFor(algorithm, keyObject), signature)
  } catch (cause) {
    throw unsupported(algorithm, cause)
  }
}

function sign(algorithm: SignatureAlgorithm, key: Key, base: SignatureBase): MaybePromise<Uint8Array> {
  const { keyObject } = keyFor(algorithm, key, 'private')
  if (keyObject === undefined) return webBackend.sign(algorithm, key, base)
  try {
    return nodeCrypto.sign(hashFor(algorithm), dataOf(base), optionsFor(algorithm, keyObject))
  } catch (cause) {
    throw unsupported(algorithm, cause)
  }
}

// node:crypto answers `false` for a signature that does not fit, and throws only where it cannot compute at all.
function unsupported(algorithm: SignatureAlgorithm, cause: unknown): CountersignError {
  return new CountersignError('algorithm-unsupported', `${algorithm.name}: node:crypto cannot compute it`, {
    cause,
  })
}

// `randomBytes(16)` costs 3 us, a slice of a pool 0.1 us.
const pool = Buffer.allocUnsafeSlow(4096)
let poolAt = pool.length

function random(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLengthOf(byteLength))
  if (byteLength > pool.length / 4) return nodeCrypto.randomFillSync(bytes)
  const start = takeFromPool(byteLength)
  bytes.set(pool.subarray(start, poolAt))
  pool.fill(0, start, poolAt)
  return bytes
}

function randomText(byteLength: number): string {
  if (byteLengthOf(byteLength) > pool.length / 4)
    return nodeCrypto.randomBytes(byteLength).toString('base64url')
  const start = takeFromPool(byteLength)
  const text = pool.toString('base64url', start, poolAt)
  // Bytes handed out once must not be found in the pool again.
  pool.fill(0, start, poolAt)
  return text
}

function byteLengthOf(byteLength: number): number {
  if (Number.isInteger(byteLength) && byteLength >= 0 && byteLength <= 65_536) return byteLength
  throw new CountersignError('config-invalid', 'random: expected a whole number of bytes from 0 to 65536')
}

/** Gives where the next bytes of the pool begin; they end at `poolAt`. */
function takeFromPool(byteLength: number): number {
  if (poolAt + byteLength > pool.length) {
    nodeCrypto.randomFillSync(pool)
    poolAt = 0
  }
  const start = poolAt
  poolAt += byteLength
  return start
}

/** The cryptography of Node, synchronous but for private CryptoKeys that cannot be exported. */
export const backend: Backend = {
  name: 'node:crypto',
  digest,
  mac,
  verify,
  sign,
  hasher,
  random,
  randomText,
  checkKey: (key) => {
    checkPoint(importKey(key).material)
  },
}
