import { base64Decode } from '../bytes/base64.ts'
import { invalidKey, type KeyMaterial } from './material.ts'
import { readEcPrivateKey, readPkcs8, readRsaPrivateKey } from './pkcs8.ts'
import { readRsaPublicKey, readSpki } from './spki.ts'

// A private RSA key of 16384 bits takes 12.6 KB.
const limitCharacters = 16_384

const readers: ReadonlyMap<string, (der: Uint8Array) => KeyMaterial> = new Map([
  ['PUBLIC KEY', readSpki],
  ['PRIVATE KEY', readPkcs8],
  ['RSA PUBLIC KEY', (der) => readRsaPublicKey(der, undefined)],
  ['RSA PRIVATE KEY', (der) => readRsaPrivateKey(der, undefined)],
  ['EC PRIVATE KEY', readEcPrivateKey],
])

const advice: ReadonlyMap<string, string> = new Map([
  ['ENCRYPTED PRIVATE KEY', 'decrypt it first: openssl pkcs8 -in key.pem -out plain.pem'],
  ['CERTIFICATE', 'take the public key out of it: openssl x509 -in cert.pem -pubkey -noout'],
  ['EC PARAMETERS', 'convert it: openssl pkcs8 -topk8 -nocrypt -in key.pem'],
  ['OPENSSH PRIVATE KEY', 'convert it: ssh-keygen -p -m PKCS8 -f key'],
])

/**
 * Reads one key in PEM text (RFC 7468, strictly): exactly one block and nothing but white space around it.
 * Takes `PUBLIC KEY`, `PRIVATE KEY`, `RSA PUBLIC KEY`, `RSA PRIVATE KEY` and `EC PRIVATE KEY`, up to 16 KiB.
 * @throws CountersignError `key-invalid`, `key-weak`
 */
export function readPem(text: string): KeyMaterial {
  if (text.length > limitCharacters) throw invalidKey('the PEM text is longer than 16 KiB')
  const lines = text.trim().split(/\r?\n/)
  const label = /^-----BEGIN ([A-Z0-9]+(?: [A-Z0-9]+)*)-----$/.exec(lines[0] ?? '')?.[1]
  if (label === undefined) throw invalidKey('expected PEM text that begins with -----BEGIN PUBLIC KEY-----')
  const read = readers.get(label)
  if (read === undefined) {
    throw invalidKey(
      `cannot read PEM of ${label.slice(0, 40)}; ${advice.get(label) ?? 'expected PUBLIC KEY or PRIVATE KEY'}`,
    )
  }
  if (lines.at(-1) !== `-----END ${label}-----`) throw invalidKey('the PEM text does not end as it began')
  const der = base64Decode(lines.slice(1, -1).join(''))
  if (der === undefined || der.length === 0) throw invalidKey('the PEM text is not canonical base64')
  return read(der)
}
