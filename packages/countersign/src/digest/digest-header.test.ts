import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../reasons/reasons.ts'
import { readCoveredDigests, readDigestHeader, writeDigestHeader } from './digest-header.ts'

const sha256 = createHash('sha256').update('x').digest('base64')
const sha512 = createHash('sha512').update('x').digest('base64')
const sha1 = createHash('sha1').update('x').digest('base64')

function outcome(...given: Parameters<typeof readDigestHeader>): unknown {
  const read = readDigestHeader(...given)
  return isRefusal(read) ? read.reason : read
}

describe('readDigestHeader', () => {
  it('reads one digest and several, names in any case', () => {
    expect(outcome(`SHA-256=${sha256}`)).toEqual({ hashNames: ['sha256'], values: [sha256] })
    expect(outcome(`sha-512=${sha512} ,\tSha-256=${sha256}`)).toEqual({
      hashNames: ['sha512', 'sha256'],
      values: [sha512, sha256],
    })
    expect(outcome(writeDigestHeader('SHA-256', sha256))).toEqual({ hashNames: ['sha256'], values: [sha256] })
  })

  it('PO-08 passes over what does not count, and refuses where nothing does', () => {
    expect(outcome(`UNIXsum=30637,SHA-256=${sha256},SHA=${sha1}`)).toEqual({
      hashNames: ['sha256'],
      values: [sha256],
    })
    for (const value of [
      'UNIXsum=30637',
      `SHA=${sha1}`,
      `SHA-1=${sha1}`,
      'MD5=AAAA',
      'CRC32=AAAA',
      `SHA-384=AAAA`,
    ]) {
      expect(outcome(value), value).toBe('digest-unsupported')
    }
  })

  it('counts the hashes that the scheme names', () => {
    expect(outcome(`SHA-1=${sha1}`, ['sha1'])).toEqual({ hashNames: ['sha1'], values: [sha1] })
    expect(outcome(`SHA=${sha1}`, ['sha1'])).toEqual({ hashNames: ['sha1'], values: [sha1] })
    expect(outcome(`SHA-256=${sha256}`, ['sha1'])).toBe('digest-unsupported')
  })

  it('PO-11 refuses what is malformed, repeated or more than four', () => {
    for (const value of [
      '',
      'SHA-256',
      'SHA-256=',
      `=${sha256}`,
      `SHA-256 =${sha256}`,
      `SHA-256= ${sha256}`,
      `SHA-256=${sha256.slice(0, -1)}`,
      `SHA-256=${sha256.slice(0, 4)}!${sha256.slice(4)}`,
      `SHA-256=:${sha256}:`,
      `sha-256=${sha256},SHA-256=${sha256}`,
      `SHA=${sha1},SHA-1=${sha1}`,
      `SHA-256=${sha256},`,
      `,SHA-256=${sha256}`,
      `SHA-256=${sha256};q=1`,
      `SHA-256=${sha256},a=1,b=2,c=3,d=4`,
      `SHA-256=${sha256}${' '.repeat(2000)}`,
      'a'.repeat(65_536),
    ]) {
      expect(outcome(value), value.slice(0, 60)).toBe('digest-mismatch')
    }
  })
})

describe('readCoveredDigests', () => {
  const contentDigest = `sha-256=:${sha256}:`
  const digestHeader = `SHA-512=${sha512}`

  it('gives the digests of whichever field is covered, and of both', () => {
    const modern = { hashNames: ['sha256'], values: [sha256] }
    const old = { hashNames: ['sha512'], values: [sha512] }
    expect(readCoveredDigests({ contentDigest })).toEqual(modern)
    expect(readCoveredDigests({ contentDigest: undefined, digestHeader })).toEqual(old)
    expect(readCoveredDigests({ contentDigest, digestHeader })).toEqual({
      hashNames: ['sha256', 'sha512'],
      values: [sha256, sha512],
    })
  })

  it('refuses where either field is malformed', () => {
    const bad = { contentDigest: 'x', digestHeader: 'y' }
    expect(readCoveredDigests({ contentDigest, digestHeader: bad.digestHeader })).toMatchObject({
      reason: 'digest-mismatch',
    })
    expect(readCoveredDigests({ contentDigest: bad.contentDigest, digestHeader })).toMatchObject({
      reason: 'digest-mismatch',
    })
  })
})
