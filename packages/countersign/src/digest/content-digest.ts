import type { HashName } from '../algorithms/hashes.ts'
import { isBase64 } from '../bytes/base64.ts'
import { equalText } from '../bytes/equal.ts'
import { type Refusal, refuse } from '../reasons/reasons.ts'

/** One digest of a `Content-Digest` field whose algorithm counts. */
export interface ContentDigest {
  readonly hash: HashName
  /** Canonical base64. */
  readonly value: string
}

/** The algorithms that count, by their name in the field. All others are weak or unknown. RFC 9530 section 5. */
const strongHashes: ReadonlyMap<string, HashName> = new Map<string, HashName>([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])

// One form is read: `name=:base64:` members, comma-separated. Parameters have no meaning here and are refused.
const member = /^[ \t]*([a-z*][a-z0-9_.*-]{0,31})=:([A-Za-z0-9+/=]{0,172}):[ \t]*$/
const maxMembers = 4
// Four members of the longest digest with names and blanks; nothing honest is longer.
const maxLength = 1024

/**
 * Reads a `Content-Digest` field. Gives the digests that count, a refusal where the field is malformed, or where none counts
 * (`digest-unsupported`). A member given twice is refused. RFC 9530 section 2.
 */
export function readContentDigest(value: string): readonly ContentDigest[] | Refusal {
  // Nearly every signer writes this one member alone.
  if (value.length === 54 && value.startsWith('sha-256=:') && value.charCodeAt(53) === 58) {
    const digest = value.slice(9, 53)
    if (isBase64(digest)) return [{ hash: 'sha256', value: digest }]
  }
  if (value.length > maxLength) return refuse('digest-mismatch', 'Content-Digest is too long')
  const members = value.split(',', maxMembers + 1)
  if (members.length > maxMembers)
    return refuse('digest-mismatch', `Content-Digest has more than ${maxMembers} members`)
  const seen: string[] = []
  const strong: ContentDigest[] = []
  for (const text of members) {
    const match = member.exec(text)
    const name = match?.[1]
    const digest = match?.[2]
    if (name === undefined || digest === undefined || !isBase64(digest) || seen.includes(name)) {
      return refuse('digest-mismatch', 'Content-Digest is malformed')
    }
    seen.push(name)
    const hash = strongHashes.get(name)
    if (hash !== undefined) strong.push({ hash, value: digest })
  }
  return strong.length > 0
    ? strong
    : refuse('digest-unsupported', 'no digest of Content-Digest is sha-256 or sha-512')
}

/** Writes a `Content-Digest` field of one digest. RFC 9530 section 2. */
export function writeContentDigest(digestBase64: string): string {
  return `sha-256=:${digestBase64}:`
}

/** Compares covered digests with those made of the content, in the same order. Every one has to fit. RFC 9530 section 6.6. */
export function compareDigests(
  covered: readonly ContentDigest[],
  made: readonly string[],
): Refusal | undefined {
  for (let i = 0; i < covered.length; i++) {
    const digest = covered[i]
    if (digest !== undefined && !equalText(digest.value, made[i] ?? '')) {
      return refuse('digest-mismatch', `${digest.hash} of the content is not the covered one`)
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
