import { CountersignError } from '../reasons/error.ts'

/**
 * Gives fresh random bytes for a shared secret.
 * @param byteLength Default 32; 16 to 1024. RFC 2104 section 3 advises no less than the hash's own length.
 * @throws CountersignError `config-invalid` where the length is outside the range.
 */
export function generateSecret(byteLength = 32): Uint8Array {
  if (!Number.isInteger(byteLength) || byteLength < 16 || byteLength > 1024) {
    throw new CountersignError('config-invalid', `byteLength: expected 16 to 1024, got ${byteLength}`)
  }
  return globalThis.crypto.getRandomValues(new Uint8Array(byteLength))
}

// 32 characters, so that five bits pick one without bias; lower case without 0, 1, l and o, which are misread.
const idAlphabet = '23456789abcdefghijkmnpqrstuvwxyz'

/**
 * Gives a fresh key id: the prefix, `_` and 16 random characters (80 bits). Only letters, digits and `_` follow the prefix.
 * Every scheme can carry it as it is.
 * @param prefix Default `key`; 1 to 64 letters, digits, `_`, `-` or `.`.
 * @throws CountersignError `config-invalid` for any other prefix.
 */
export function generateKeyId(prefix = 'key'): string {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(prefix)) {
    throw new CountersignError(
      'config-invalid',
      `prefix: expected 1 to 64 letters, digits, _, - or ., got ${JSON.stringify(prefix.slice(0, 80))}`,
    )
  }
  let id = `${prefix}_`
  for (const byte of globalThis.crypto.getRandomValues(new Uint8Array(16))) {
    id += idAlphabet.charAt(byte & 31)
  }
  return id
}
