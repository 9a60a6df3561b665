import type { HashName } from '../algorithms/hashes.ts'
import { isBase64 } from '../bytes/base64.ts'
import { trimBlanks } from '../message/field-lines.ts'
import { isRefusal, type Refusal, refuse } from '../reasons/reasons.ts'
import { type ContentDigests, readContentDigest } from './content-digest.ts'

/** Algorithms by their lower-case name in the field: RFC 3230 section 4.1.1, RFC 5843, and those that Flask-Cavage adds. */
const hashNames: ReadonlyMap<string, HashName> = new Map<string, HashName>([
  ['sha-512', 'sha512'],
  ['sha-384', 'sha384'],
  ['sha-256', 'sha256'],
  ['sha-224', 'sha224'],
  ['sha-1', 'sha1'],
  ['sha', 'sha1'],
  ['md5', 'md5'],
])

/** Hashes that count in a `Digest` field where a scheme says no others: those registered that are not broken. RFC 5843 section 2. */
const strongDigests: readonly HashName[] = ['sha256', 'sha512']

const member = /^([A-Za-z0-9-]{1,32})=([\x21-\x2b\x2d-\x7e]{1,128})$/
const maxMembers = 4
const maxLength = 1024

/**
 * Reads a `Digest` field: `SHA-256=base64`, comma-separated; names in any case. Gives the digests whose hash is among `counting`,
 * a refusal where the field is malformed, names one algorithm twice, or names none that counts (`digest-unsupported`). RFC 3230 section 4.3.2.
 */
export function readDigestHeader(
  value: string,
  counting: readonly HashName[] = strongDigests,
): ContentDigests | Refusal {
  if (value.length > maxLength) return refuse('digest-mismatch', 'Digest is too long')
  const members = value.split(',', maxMembers + 1)
  if (members.length > maxMembers)
    return refuse('digest-mismatch', `Digest has more than ${maxMembers} members`)
  const seen: string[] = []
  const found: HashName[] = []
  const values: string[] = []
  for (const text of members) {
    const match = member.exec(trimBlanks(text))
    const digest = match?.[2] ?? ''
    const name = (match?.[1] ?? '').toLowerCase()
    const hash = hashNames.get(name)
    const known = hash ?? name
    // Checksums of old (UNIXsum, CRC32) are no base64.
    if (match === null || seen.includes(known) || (hash !== undefined && !isBase64(digest))) {
      return refuse('digest-mismatch', 'Digest is malformed')
    }
    seen.push(known)
    if (hash !== undefined && counting.includes(hash)) {
      found.push(hash)
      values.push(digest)
    }
  }
  return values.length > 0
    ? { hashNames: found, values }
    : refuse('digest-unsupported', `no digest of Digest is one of ${counting.join(', ')}`)
}

/** Writes a `Digest` field of one digest. RFC 3230 section 4.3.2. */
export function writeDigestHeader(name: 'SHA-256' | 'SHA-512', digestBase64: string): string {
  return `${name}=${digestBase64}`
}

/** The digest fields that a signature covers, as a claim gives them. */
export interface CoveredDigestFields {
  readonly contentDigest: string | undefined
  readonly digestHeader?: string | undefined
  readonly digestHashes?: readonly HashName[] | undefined
}

/** Reads the digest fields that a signature covers, one or both. Every digest of them that counts has to fit the content. */
export function readCoveredDigests({
  contentDigest,
  digestHeader,
  digestHashes,
}: CoveredDigestFields): ContentDigests | Refusal {
  const modern = contentDigest === undefined ? undefined : readContentDigest(contentDigest)
  if (digestHeader === undefined && modern !== undefined) return modern
  const old = readDigestHeader(digestHeader ?? '', digestHashes)
  if (modern === undefined || isRefusal(old)) return old
  if (isRefusal(modern)) return modern
  return {
    hashNames: [...modern.hashNames, ...old.hashNames],
    values: [...modern.values, ...old.values],
  }
}
