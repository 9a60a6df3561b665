import { base64urlDecode, base64urlEncode } from '../bytes/base64.ts'
import { concatBytes } from '../bytes/concat.ts'
import { utf8Encode } from '../bytes/utf8.ts'
import { CountersignError } from '../reasons/error.ts'

/** Encrypts secrets for rest and opens them again. What is sealed under one context opens under no other. */
export interface Sealer {
  /** Gives `v1.<key fingerprint>.<iv>.<ciphertext>`, each part base64url. Never the same text twice. */
  seal(plain: Uint8Array, context: readonly string[]): Promise<string>
  /** @throws CountersignError `key-invalid` for another key, another context or changed text; says nothing of the content. */
  open(sealed: string, context: readonly string[]): Promise<Uint8Array>
}

const ivBytes = 12
const tagBytes = 16

/**
 * Makes a sealer: AES-256-GCM with a random 96-bit IV under a key derived from the master key (HKDF-SHA-256, RFC 5869).
 * Good for 2^32 seals under one master key (NIST SP 800-38D section 8.3).
 * @param masterKey 32 random bytes.
 * @throws CountersignError `key-invalid` for any other length, or where all bytes are equal.
 */
export function sealer(masterKey: Uint8Array): Sealer {
  if (masterKey.length !== 32 || masterKey.every((byte) => byte === masterKey[0])) {
    throw new CountersignError(
      'key-invalid',
      `masterKey: expected 32 random bytes, got ${masterKey.length}${masterKey.length === 32 ? ' equal ones' : ''}`,
    )
  }
  const master = masterKey.slice()
  // Derived at the first use, so that making a sealer stays synchronous and cannot leave a rejection unheard.
  let derived: Promise<DerivedKeys> | undefined
  const keys = (): Promise<DerivedKeys> => {
    derived ??= derive(master)
    return derived
  }
  return {
    async seal(plain, context) {
      const { key, fingerprint } = await keys()
      const iv = globalThis.crypto.getRandomValues(new Uint8Array(ivBytes))
      const additionalData = boundTo(context)
      const sealed = await globalThis.crypto.subtle.encrypt(
        { name: 'AES-GCM', iv, additionalData },
        key,
        plain.slice(),
      )
      return `v1.${fingerprint}.${base64urlEncode(iv)}.${base64urlEncode(new Uint8Array(sealed))}`
    },
    async open(text, context) {
      const { key, fingerprint } = await keys()
      const { iv, sealed } = parse(text, fingerprint)
      try {
        const additionalData = boundTo(context)
        const plain = await globalThis.crypto.subtle.decrypt(
          { name: 'AES-GCM', iv, additionalData },
          key,
          sealed,
        )
        return new Uint8Array(plain)
      } catch (cause) {
        throw new CountersignError(
          'key-invalid',
          'sealed text does not open: it, or what it is bound to, was changed since it was sealed',
          { cause },
        )
      }
    },
  }
}

interface DerivedKeys {
  readonly key: CryptoKey
  readonly fingerprint: string
}

async function derive(master: Uint8Array<ArrayBuffer>): Promise<DerivedKeys> {
  const { subtle } = globalThis.crypto
  const base = await subtle.importKey('raw', master, 'HKDF', false, ['deriveKey', 'deriveBits'])
  // A zero-length salt is RFC 5869's default; the input is a uniform key already.
  const hkdf = (info: string): HkdfParams => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(0),
    info: encoded(info),
  })
  const key = await subtle.deriveKey(
    hkdf('countersign seal v1'),
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
  const fingerprint = await subtle.deriveBits(hkdf('countersign fingerprint v1'), base, 64)
  return { key, fingerprint: base64urlEncode(new Uint8Array(fingerprint)) }
}

/** A length stands in front of each part, so that no two contexts give the same bytes. */
function boundTo(context: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for (const part of ['countersign seal v1', ...context]) {
    const bytes = utf8Encode(part)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length)
    parts.push(length, bytes)
  }
  return concatBytes(parts).slice()
}

function encoded(text: string): Uint8Array<ArrayBuffer> {
  return utf8Encode(text).slice()
}

interface SealedParts {
  readonly iv: Uint8Array<ArrayBuffer>
  readonly sealed: Uint8Array<ArrayBuffer>
}

function parse(text: string, fingerprint: string): SealedParts {
  const [version, sealedUnder, ivText = '', sealedText = '', ...rest] = text.split('.')
  if (version !== 'v1' || sealedUnder === undefined || rest.length > 0) throw unreadable()
  if (sealedUnder !== fingerprint) {
    throw new CountersignError(
      'key-invalid',
      `sealed text was sealed under another master key than the one in use (${fingerprint})`,
    )
  }
  const iv = base64urlDecode(ivText)
  const sealed = base64urlDecode(sealedText)
  if (iv?.length !== ivBytes || sealed === undefined || sealed.length < tagBytes) throw unreadable()
  return { iv: iv.slice(), sealed: sealed.slice() }
}

function unreadable(): CountersignError {
  return new CountersignError('key-invalid', 'sealed text is not of the form v1.<key>.<iv>.<ciphertext>')
}
