import { describe, expect, it } from 'vitest'
import type { Credential } from '../credentials/credential.ts'
import type { CredentialStore } from '../credentials/store.ts'
import { settableClock } from '../testing/clock.ts'
import { cachedCredentials } from './cached.ts'
import { memoryCredentials } from './memory.ts'

const start = 1_800_000_000

/** A store whose reads are counted, and end when the test says so where `gate` is given. */
function counted(credentials: Map<string, Credential>, gate?: () => Promise<void>) {
  const reads: string[] = []
  const store: CredentialStore = {
    async find(id) {
      reads.push(id)
      const found = credentials.get(id)
      await gate?.()
      return found
    },
  }
  return { store, reads }
}

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { wait: () => opened, open: () => open() }
}

const held = (...ids: string[]) =>
  new Map<string, Credential>(ids.map((id) => [id, { id, secret: `secret of ${id}` }]))

describe('cachedCredentials', () => {
  it('reads once for a thousand concurrent first finds, known or unknown', async () => {
    for (const id of ['known', 'unknown']) {
      const { wait, open } = gate()
      const { store, reads } = counted(held('known'), wait)
      const cached = cachedCredentials(store, { clock: settableClock(start) })
      const finds = Array.from({ length: 1000 }, () => cached.find(id, 'rfc9421'))
      open()
      const found = await Promise.all(finds)
      expect(reads).toEqual([id])
      expect(new Set(found.map((one) => one?.id))).toEqual(new Set([id === 'known' ? 'known' : undefined]))
      expect(new Set(found).size).toBe(1)
    }
  })

  it('shows a change in the store before an answer is ttlSeconds old, counted from the start of its read', async () => {
    const clock = settableClock(start)
    const credentials = held('a')
    const { store, reads } = counted(credentials)
    const cached = cachedCredentials(store, { clock, ttlSeconds: 5 })
    expect(await cached.find('a', 'rfc9421')).toMatchObject({ id: 'a' })
    expect(await cached.find('b', 'rfc9421')).toBeUndefined()
    credentials.set('a', { id: 'a', secret: 'x', active: false })
    credentials.set('b', { id: 'b', secret: 'y' })
    clock.advance(4)
    expect(await cached.find('a', 'rfc9421')).not.toMatchObject({ active: false })
    expect(await cached.find('b', 'rfc9421')).toBeUndefined()
    expect(reads).toEqual(['a', 'b'])
    clock.advance(1)
    expect(await cached.find('a', 'rfc9421')).toMatchObject({ active: false })
    expect(await cached.find('b', 'rfc9421')).toMatchObject({ id: 'b' })
    expect(reads).toEqual(['a', 'b', 'a', 'b'])
  })

  it('ages an answer by the time its read took', async () => {
    const clock = settableClock(start)
    const { wait, open } = gate()
    const { store, reads } = counted(held('a'), wait)
    const cached = cachedCredentials(store, { clock, ttlSeconds: 5 })
    const first = cached.find('a', 'rfc9421')
    clock.advance(5)
    open()
    await first
    await cached.find('a', 'rfc9421')
    expect(reads).toEqual(['a', 'a'])
  })

  it('reads anew after the clock was set back', async () => {
    const clock = settableClock(start)
    const { store, reads } = counted(held('a'))
    const cached = cachedCredentials(store, { clock })
    await cached.find('a', 'rfc9421')
    clock.advance(-1)
    await cached.find('a', 'rfc9421')
    expect(reads).toEqual(['a', 'a'])
  })

  it('keeps a hot key through a flood of a hundred thousand unknown ids, in bounded room', async () => {
    const clock = settableClock(start)
    const { store, reads } = counted(held('hot'))
    const cached = cachedCredentials(store, { clock, limit: 1000 })
    await cached.find('hot', 'rfc9421')
    for (let i = 0; i < 100_000; i++) await cached.find(`made up ${i}`, 'rfc9421')
    await cached.find('hot', 'rfc9421')
    expect(reads.filter((id) => id === 'hot')).toHaveLength(1)
    // The last thousand are remembered and no more.
    const before = reads.length
    for (let i = 98_000; i < 100_000; i++) await cached.find(`made up ${i}`, 'rfc9421')
    expect(reads.length - before).toBe(2000)
    for (let i = 99_000; i < 100_000; i++) await cached.find(`made up ${i}`, 'rfc9421')
    expect(reads.length - before).toBe(2000)
  })

  it('holds no more known keys than its limit', async () => {
    const { store, reads } = counted(held('a', 'b', 'c'))
    const cached = cachedCredentials(store, { clock: settableClock(start), limit: 2 })
    for (const id of ['a', 'b', 'c', 'b', 'c', 'a']) await cached.find(id, 'rfc9421')
    expect(reads).toEqual(['a', 'b', 'c', 'a'])
  })

  it('keeps no failed read, and tells everyone who waited', async () => {
    let fail = true
    let reads = 0
    const cached = cachedCredentials({
      async find() {
        reads++
        if (fail) throw new Error('down')
        return { id: 'a', secret: 'x' }
      },
    })
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => cached.find('a', 'rfc9421')))
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(reads).toBe(1)
    fail = false
    expect(await cached.find('a', 'rfc9421')).toMatchObject({ id: 'a' })
    expect(reads).toBe(2)
  })

  it('keeps no failure of a store that answers at once, and no credential that cannot be used', async () => {
    const answers: (() => Credential)[] = [
      () => {
        throw new Error('down')
      },
      () => ({ id: 'a' }),
      () => ({ id: 'a', secret: 'x' }),
    ]
    const cached = cachedCredentials({ find: () => answers.shift()?.() })
    expect(() => cached.find('a', 'rfc9421')).toThrow('down')
    expect(() => cached.find('a', 'rfc9421')).toThrow(expect.objectContaining({ code: 'key-invalid' }))
    expect(cached.find('a', 'rfc9421')).toMatchObject({ id: 'a' })
  })

  it('forgets at once on clear, and lets no read from before it answer later finds', async () => {
    const { wait, open } = gate()
    const credentials = held('a')
    const { store, reads } = counted(credentials, wait)
    const cached = cachedCredentials(store, { clock: settableClock(start) })
    const before = cached.find('a', 'rfc9421')
    credentials.set('a', { id: 'a', secret: 'x', active: false })
    cached.clear()
    const after = cached.find('a', 'rfc9421')
    open()
    expect(await before).not.toMatchObject({ active: false })
    expect(await after).toMatchObject({ active: false })
    expect(await cached.find('a', 'rfc9421')).toMatchObject({ active: false })
    expect(reads).toEqual(['a', 'a'])
    cached.clear()
    await cached.find('a', 'rfc9421')
    expect(reads).toEqual(['a', 'a', 'a'])
  })

  it('answers at once where the store does, and from memory always', async () => {
    const overMemory = cachedCredentials(memoryCredentials([{ id: 'a', secret: 'x' }]))
    expect(overMemory.find('a', 'rfc9421')).toMatchObject({ id: 'a' })
    const { store } = counted(held('a'))
    const overOther = cachedCredentials(store)
    const first = overOther.find('a', 'rfc9421')
    expect(first).toBeInstanceOf(Promise)
    expect(overOther.find('a', 'rfc9421')).toBe(first)
    const found = await first
    expect(overOther.find('a', 'rfc9421')).toBe(found)
  })

  it('keeps what each scheme is told apart, however the parts are cut', async () => {
    const reads: string[] = []
    const cached = cachedCredentials({
      find: (id, scheme) => {
        reads.push(`${scheme}|${id}`)
        return undefined
      },
    })
    for (const [id, scheme] of [
      ['b:c', 'a'],
      ['c', 'a:b'],
      ['c', 'a'],
      ['ac', ''],
    ] as const) {
      cached.find(id, scheme)
    }
    expect(reads).toEqual(['a|b:c', 'a:b|c', 'a|c', '|ac'])
  })

  it('passes ids longer than any real one through and keeps nothing of them', () => {
    let reads = 0
    const cached = cachedCredentials({
      find: () => {
        reads++
        return undefined
      },
    })
    for (let i = 0; i < 3; i++) cached.find('x'.repeat(10_000), 'rfc9421')
    expect(reads).toBe(3)
  })

  it('joins reads under way and keeps nothing with ttlSeconds 0', async () => {
    const { store, reads } = counted(held('a'))
    const cached = cachedCredentials(store, { ttlSeconds: 0 })
    await Promise.all([cached.find('a', 'rfc9421'), cached.find('a', 'rfc9421')])
    await cached.find('a', 'rfc9421')
    expect(reads).toEqual(['a', 'a'])
  })

  it('refuses options that cannot work', () => {
    for (const options of [
      { ttlSeconds: -1 },
      { ttlSeconds: 3601 },
      { ttlSeconds: Number.NaN },
      { limit: 0 },
    ]) {
      expect(() => cachedCredentials(memoryCredentials(), options)).toThrow(
        expect.objectContaining({ code: 'config-invalid' }),
      )
    }
  })
})
