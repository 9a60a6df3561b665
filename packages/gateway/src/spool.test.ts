import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Spool, type SpoolOptions } from './spool.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64')
const sha512 = (bytes: Buffer) => createHash('sha512').update(bytes).digest('base64')

describe('a spool', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'spool-test-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const spools: Spool[] = []
  afterEach(() => {
    for (const spool of spools.splice(0)) spool.dispose()
  })
  const spoolOf = (stream: Readable, options: Partial<SpoolOptions> = {}) => {
    const spool = new Spool({
      stream,
      declaredBytes: undefined,
      limitBytes: 10_000_000,
      memoryBytes: 100_000,
      directory,
      ...options,
    })
    spools.push(spool)
    return spool
  }
  const pieces = (bytes: Buffer, size = 60_000) => {
    const list: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) list.push(bytes.subarray(at, at + size))
    return Readable.from(list, { objectMode: false })
  }

  it.each([1, 1000, 65_536, 65_537, 100_000, 100_001, 3_000_000])(
    'hashes and gives back %i bytes',
    async (size) => {
      const bytes = randomBytes(size)
      for (const declaredBytes of [undefined, size]) {
        const spool = spoolOf(pieces(bytes), { declaredBytes })
        expect(await spool.digests(['sha256', 'sha512'], 10_000_000)).toEqual([sha256(bytes), sha512(bytes)])
        const { content, length } = await spool.release()
        expect(length).toBe(size)
        expect(content).toSatisfy((given: unknown) =>
          size > 100_000 ? given instanceof Readable : Buffer.isBuffer(given),
        )
        const whole = content instanceof Readable ? await buffer(content) : content
        expect(whole?.equals(bytes)).toBe(true)
        spool.dispose()
      }
    },
  )

  it('hashes what it has already taken in, from memory and from its file', async () => {
    for (const size of [5000, 500_000]) {
      const bytes = randomBytes(size)
      const spool = spoolOf(pieces(bytes))
      expect(await spool.fill()).toBeUndefined()
      expect(await spool.digests(['sha256'], 10_000_000)).toEqual([sha256(bytes)])
      expect(await spool.digests(['sha512', 'sha256'], 10_000_000)).toEqual([sha512(bytes), sha256(bytes)])
      spool.dispose()
    }
  })

  it('gives the bytes to a scheme that MACs them, up to what may be in memory', async () => {
    const bytes = randomBytes(100_000)
    expect(Buffer.from((await spoolOf(pieces(bytes)).bytes(1_000_000)) as Uint8Array).equals(bytes)).toBe(
      true,
    ) // not a problem here
    const spool = spoolOf(pieces(randomBytes(100_001)))
    expect(await spool.bytes(1_000_000)).toEqual({ kind: 'body-problem', problem: 'too-large' })
    expect(readdirSync(directory)).toEqual([])
  })

  it('keeps its file where nobody else can reach it', async () => {
    const stream = new PassThrough()
    const spool = spoolOf(stream)
    const filled = spool.fill()
    stream.write(randomBytes(300_000))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(readdirSync(directory)).toEqual([])
    const open = openFiles().filter((path) => path.startsWith(directory))
    expect(open).toHaveLength(1)
    expect(open[0]).toMatch(/\(deleted\)$/)
    expect(modesOf(directory)).toEqual([0o600])
    stream.end()
    await filled
    spool.dispose()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(openFiles().filter((path) => path.startsWith(directory))).toEqual([])
  })

  it('stops reading at its limit, and before it where the length is declared', async () => {
    const stream = pieces(randomBytes(500_000))
    const spool = spoolOf(stream, { limitBytes: 150_000 })
    expect(await spool.digests(['sha256'], 10_000_000)).toEqual({
      kind: 'body-problem',
      problem: 'too-large',
    })
    expect(spool.trouble).toBe('too-large')
    const untouched = new Readable({ read: () => expect.fail('read') })
    const declared = spoolOf(untouched, { declaredBytes: 150_001, limitBytes: 150_000 })
    expect(await declared.bytes(200_000)).toEqual({ kind: 'body-problem', problem: 'too-large' })
  })

  it('says that a body ended early', async () => {
    const stream = new PassThrough()
    const spool = spoolOf(stream)
    const digests = spool.digests(['sha256'], 1000)
    stream.write('abc')
    stream.destroy()
    expect(await digests).toEqual({ kind: 'body-problem', problem: 'incomplete' })
    expect([spool.trouble, (await spool.release()).trouble]).toEqual(['aborted', 'aborted'])
    expect(await spoolOf(stream).fill()).toBe('aborted')
  })

  it('says that its file cannot be written, and leaves the stream alone after it', async () => {
    const spool = spoolOf(pieces(randomBytes(500_000)), { directory: join(directory, 'absent') })
    expect(await spool.fill()).toBe('storage')
    expect(spool.trouble).toBe('storage')
    spool.dispose()
  })

  it('closes its file also where it is let go while it writes', async () => {
    const stream = new PassThrough()
    const spool = spoolOf(stream)
    const filled = spool.fill()
    stream.write(randomBytes(300_000))
    await new Promise((resolve) => setImmediate(resolve))
    spool.dispose()
    expect(await filled).toBe('aborted')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(openFiles().filter((path) => path.startsWith(directory))).toEqual([])
  })

  it('tells a client to go on only when somebody wants its body', async () => {
    let told = 0
    const spool = spoolOf(pieces(Buffer.from('abc')), { beforeRead: () => told++ })
    expect(told).toBe(0)
    await spool.fill()
    await spool.digests(['sha256'], 1000)
    expect(told).toBe(1)
  })
})

/** Targets of this process's file descriptors. */
function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
}

function modesOf(directory: string): readonly number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const isOurs = readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)
      return isOurs ? [statSync(`/proc/self/fd/${fd}`).mode & 0o777] : []
    } catch {
      return []
    }
  })
}
