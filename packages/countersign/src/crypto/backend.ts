import type { HashName } from '../algorithms/hashes.ts'
import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import type { TextEncoding } from '../bytes/encoding.ts'
import type { Key } from '../keys/key.ts'
import type { Secret } from '../keys/secret.ts'
import type { MaybePromise } from '../message/body.ts'
import type { SignatureBase } from '../message/signature-base.ts'

/** A hash that takes its input in pieces. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** Ends the hash. Base64 with padding. */
  digest(): string
}

/**
 * The cryptography of a runtime. Both backends pass `testing/contracts/backend.ts`.
 * What a runtime cannot compute throws (or rejects with) `CountersignError` `algorithm-unsupported`;
 * a key that cannot be read `key-invalid`; one that is too weak `key-weak`. A bad signature is `false`, never a throw.
 */
export interface Backend {
  readonly name: string
  digest(hash: HashName, bytes: Uint8Array, encoding: TextEncoding): MaybePromise<string>
  /** HMAC of `base.text` as UTF-8 followed by `base.body`. */
  mac(hash: HashName, secret: Secret, base: SignatureBase, encoding: TextEncoding): MaybePromise<string>
  verify(
    algorithm: SignatureAlgorithm,
    key: Key,
    base: SignatureBase,
    signature: Uint8Array,
  ): MaybePromise<boolean>
  /** ECDSA signatures are `r || s` (IEEE P1363), as RFC 9421 section 3.3.4 wants. */
  sign(algorithm: SignatureAlgorithm, key: Key, base: SignatureBase): MaybePromise<Uint8Array>
  /** Hashes in pieces; absent where the runtime cannot (WebCrypto hashes whole buffers only). */
  hasher?(hash: HashName): Hasher
  random(byteLength: number): Uint8Array
  /** The same as base64url without padding, where the runtime can do that faster. */
  randomText?(byteLength: number): string
  /** Refuses a key that must not be used: unreadable, of another kind, too weak. For whoever takes in keys from outside. */
  checkKey(key: Key): MaybePromise<void>
}
