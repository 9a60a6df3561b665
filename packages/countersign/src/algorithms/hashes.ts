/** One row of the hash table. */
export interface HashRow {
  /** Name in node:crypto. */
  readonly node: string
  /** Name in WebCrypto; `undefined` where it has none. */
  readonly web: string | undefined
  readonly digestBytes: number
  /** Block size, which HMAC pads its key to. RFC 2104. */
  readonly blockBytes: number
  /** `legacy` hashes serve old schemes only and never count in `Content-Digest`. */
  readonly status: 'current' | 'legacy'
}

/** Name of a hash. */
export type HashName = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

/** The hashes in use. */
export const hashes: Readonly<Record<HashName, HashRow>> = {
  md5: { node: 'md5', web: undefined, digestBytes: 16, blockBytes: 64, status: 'legacy' },
  sha1: { node: 'sha1', web: 'SHA-1', digestBytes: 20, blockBytes: 64, status: 'legacy' },
  sha224: { node: 'sha224', web: undefined, digestBytes: 28, blockBytes: 64, status: 'legacy' },
  sha256: { node: 'sha256', web: 'SHA-256', digestBytes: 32, blockBytes: 64, status: 'current' },
  sha384: { node: 'sha384', web: 'SHA-384', digestBytes: 48, blockBytes: 128, status: 'current' },
  sha512: { node: 'sha512', web: 'SHA-512', digestBytes: 64, blockBytes: 128, status: 'current' },
}
