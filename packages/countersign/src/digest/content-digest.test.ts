import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { backend } from '../crypto/node.ts'
import { isRefusal } from '../reasons/reasons.ts'
import { compareDigests, readContentDigest } from './content-digest.ts'

interface Vector {
  readonly id: string
  readonly value: string
  readonly contentBase64: string
  readonly expect: 'match' | 'mismatch' | 'syntax-only' | 'match-if-lenient'
}

const file = new URL('../../../../vectors/rfc9530/rfc9530.json', import.meta.url)
const { vectors }: { readonly vectors: readonly Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

/** The outcome for a field over some content: the reason of the refusal, or `match`. */
function outcome(value: string, content: Uint8Array): string {
  const digests = readContentDigest(value)
  if (isRefusal(digests)) return digests.reason
  const made = digests.hashNames.map((hash) => backend.digest(hash, content, 'base64'))
  const refusal = compareDigests(digests, made.map(String))
  return refusal?.reason ?? 'match'
}

describe('Content-Digest', () => {
  it('has all 36 vectors of RFC 9530', () => expect(vectors).toHaveLength(36))

  it.each(vectors)('RFC 9530 $id', (vector) => {
    const content = Buffer.from(vector.contentBase64 ?? '', 'base64')
    const weak = /^(md5|sha|unixsum|unixcksum|adler|crc32c)=/.test(vector.value)
    const expected = {
      match: weak ? 'digest-unsupported' : 'match',
      mismatch: 'digest-mismatch',
      // Base64 with one = too many: published by mistake, and read strictly here.
      'match-if-lenient': 'digest-mismatch',
      // Two digests of two contents: both are supported, so both have to fit.
      'syntax-only': 'digest-mismatch',
    }
    expect(outcome(vector.value, content)).toBe(expected[vector.expect])
  })

  const hello = new TextEncoder().encode('hello')
  const sha256 = `sha-256=:${backend.digest('sha256', hello, 'base64')}:`
  const sha512 = `sha-512=:${backend.digest('sha512', hello, 'base64')}:`
  const other =
    'sha-512=:z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==:'
  it.each([
    ['PO-08 only a weak algorithm', 'md5=:XUFAKrxLKna5cZ2REBfFkg==:', 'digest-unsupported'],
    ['PO-09 one right, one wrong', `${sha256}, ${other}`, 'digest-mismatch'],
    ['both right', `${sha256},${sha512}`, 'match'],
    ['PO-10 a right one beside an unknown one', `${sha256}, future=:AAAA:`, 'match'],
    ['PO-11 five members', `${sha256}, a=:AA==:, b=:AA==:, c=:AA==:, d=:AA==:`, 'digest-mismatch'],
    ['the same algorithm twice', `${sha256}, ${sha256}`, 'digest-mismatch'],
    ['a member with parameters', `${sha256};x=1`, 'digest-mismatch'],
    ['URL-safe base64', 'sha-256=:LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:', 'digest-mismatch'],
    ['a prefix of the right digest', 'sha-256=:LPJN:', 'digest-mismatch'],
    ['an empty digest', 'sha-256=::', 'digest-mismatch'],
    ['an empty field', '', 'digest-mismatch'],
    ['an upper-case name', sha256.replace('sha', 'SHA'), 'digest-mismatch'],
    ['two kilobytes', `${sha256}, x=:${'A'.repeat(2048)}:`, 'digest-mismatch'],
  ])('%s', (_, value, expected) => {
    expect(outcome(value, hello)).toBe(expected)
  })
})
