import type { HashName } from '../algorithms/hashes.ts'
import { isBase64 } from '../bytes/base64.ts'
import { type Refusal, refuse } from '../reasons/reasons.ts'

/** The digests of a `Content-Digest` field whose algorithm counts: hashes, and the value of each as base64. */
export interface ContentDigests {
  readonly hashNames: readonly HashName[]
  readonly values: readonly string[]
}

/** The algorithms that count, by their name in the field. All others are weak or unknown. RFC 9530 section 5. */
const strongHashes: ReadonlyMap<string, HashName> = new Map<string, HashName>([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])

const onlySha256: readonly HashName[] = ['sha256']

// One form is read: `name=:base64:` members, comma-separated. Parameters have no meaning here and are refused.
const member = /^[ \t]*([a-z*][a-z0-9_.*-]{0,31})=:([A-Za-z0-9+/=]{0,172}):[ \t]*$/
const maxMembers = 4
// Four members of the longest digest with names and blanks; nothing honest is longer.
const maxLength = 1024

/**
 * Reads a `Content-Digest` field. Gives the digests that count, a refusal where the field is malformed, or where none counts
 * (`digest-unsupported`). A member given twice is refused. RFC 9530 section 2.
 */
export function readContentDigest(value: string): ContentDigests | Refusal {
  // Nearly every signer writes this one member alone. What is not base64 between the colons is equal to no digest.
  if (value.length === 54 && value.startsWith('sha-256=:') && value.charCodeAt(53) === 58) {
    return { hashNames: onlySha256, values: [value.slice(9, 53)] }
  }
  if (value.length > maxLength) return refuse('digest-mismatch', 'Content-Digest is too long')
  const members = value.split(',', maxMembers + 1)
  if (members.length > maxMembers)
    return refuse('digest-mismatch', `Content-Digest has more than ${maxMembers} members`)
  const seen: string[] = []
  const hashNames: HashName[] = []
  const values: string[] = []
  for (const text of members) {
    const match = member.exec(text)
    const name = match?.[1]
    const digest = match?.[2]
    if (name === undefined || digest === undefined || !isBase64(digest) || seen.includes(name)) {
      return refuse('digest-mismatch', 'Content-Digest is malformed')
    }
    seen.push(name)
    const hash = strongHashes.get(name)
    if (hash !== undefined) {
      hashNames.push(hash)
      values.push(digest)
    }
  }
  return values.length > 0
    ? { hashNames, values }
    : refuse('digest-unsupported', 'no digest of Content-Digest is sha-256 or sha-512')
}

/** Writes a `Content-Digest` field: base64 digests, in the order of their hashes. RFC 9530 section 2. */
export function writeContentDigest(hashNames: readonly HashName[], digests: readonly string[]): string {
  if (digests.length === 1 && hashNames[0] === 'sha256') return `sha-256=:${digests[0]}:`
  return digests
    .map((digest, i) => `${hashNames[i] === 'sha512' ? 'sha-512' : 'sha-256'}=:${digest}:`)
    .join(', ')
}

/** Compares covered digests with those made of the content, in the same order. Every one has to fit. RFC 9530 section 6.6. */
export function compareDigests(
  { hashNames, values }: ContentDigests,
  made: readonly string[],
): Refusal | undefined {
  for (let i = 0; i < values.length; i++) {
    // Both sides are public, so nothing is gained by comparing in constant time.
    if (values[i] !== made[i]) {
      return refuse('digest-mismatch', `${hashNames[i]} of the content is not the covered one`)
    }
  }
  return undefined
}

/** Gives the refusal for a body that could not be had. */
export function bodyRefusal(problem: 'too-large' | 'incomplete', limitBytes: number): Refusal {
  return problem === 'too-large'
    ? refuse('body-too-large', `the content is over ${limitBytes} bytes`)
    : refuse('message-malformed', 'the content ended early')
}
