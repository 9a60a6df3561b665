import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openSqlite, temporaryDirectory } from '../../../../../scripts/sqlite-file.ts'
import { settableClock } from '../../testing/clock.ts'
import { migrateSql, sqlNonces } from './sql.ts'

const start = 1_800_000_000
const directory = temporaryDirectory()
const closing: (() => unknown)[] = []
afterAll(() => {
  for (const close of closing) close()
  directory.remove()
})

function fileAt(path: string, timeoutMs?: number) {
  const file = openSqlite(path, timeoutMs)
  closing.push(() => file.connection.close())
  return file
}

async function newFile(timeoutMs?: number) {
  const path = join(directory.path, `${closing.length}.db`)
  const file = fileAt(path, timeoutMs)
  await migrateSql(file.db)
  return { ...file, path }
}

const storeFailed: unknown = expect.objectContaining({ code: 'store-failed' })

describe('sqlNonces', () => {
  it('gives one of a hundred racing calls on two connections fresh, twenty times over', async () => {
    const { db, path } = await newFile()
    const clock = settableClock(start)
    const stores = [sqlNonces({ db, clock }), sqlNonces({ db: fileAt(path).db, clock })]
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, i) => stores[i % 2]?.record(`token ${round}`, start + 300)),
      )
      expect(answers.filter((answer) => answer === 'fresh')).toHaveLength(1)
      expect(answers.filter((answer) => answer === 'seen')).toHaveLength(99)
    }
  })

  it('remembers across a restart', async () => {
    const { db, path } = await newFile()
    const clock = settableClock(start)
    await sqlNonces({ db, clock }).record('token', start + 300)
    await db.destroy()
    expect(await sqlNonces({ db: fileAt(path).db, clock }).record('token', start + 300)).toBe('seen')
  })

  it('drops what has ended while it is in use, and nothing that has not', async () => {
    const { db, connection } = await newFile()
    const clock = settableClock(start)
    const { record } = sqlNonces({ db, clock })
    const rows = () =>
      connection.prepare('select count(*) as n from countersign_nonces').get([]) as { n: number } // as selected
    for (let i = 0; i < 600; i++) await record(`old ${i}`, start + 300)
    await record('long', start + 9000)
    clock.advance(361)
    for (let i = 0; i < 300; i++) await record(`new ${i}`, start + 700)
    expect(rows().n).toBe(301)
    expect(await record('long', start + 9000)).toBe('seen')
    expect(await record('new 0', start + 700)).toBe('seen')
  })

  it('keeps tokens for a node whose clock is up to a minute behind', async () => {
    const { db } = await newFile()
    const [right, ahead] = [settableClock(start), settableClock(start + 360)]
    const [one, other] = [sqlNonces({ db, clock: right }), sqlNonces({ db, clock: ahead })]
    await one.record('token', start + 300)
    for (let i = 0; i < 200; i++) await other.record(`other ${i}`, start + 660)
    right.set(start + 300)
    expect(await one.record('token', start + 300)).toBe('seen')
  })

  it('refuses to guess about a token that another node, far ahead, may have dropped', async () => {
    const { db } = await newFile()
    const [right, ahead] = [settableClock(start), settableClock(start + 86_400)]
    const [one, other] = [sqlNonces({ db, clock: right }), sqlNonces({ db, clock: ahead })]
    await one.record('token', start + 300)
    for (let i = 0; i < 200; i++) await other.record(`other ${i}`, start + 86_700)
    await expect(one.record('token', start + 300)).rejects.toEqual(storeFailed)
    await expect(one.record('token', start + 300)).resolves.toBe('seen')
    expect(await one.record('later', start + 301)).toBe('fresh')
  })

  it('never gives fresh twice for a message that comes again after its row has ended but not gone', async () => {
    const { db } = await newFile()
    const clock = settableClock(start)
    const { record } = sqlNonces({ db, clock })
    await record('token', start + 300)
    clock.advance(500)
    expect(await record('token', start + 300)).toBe('seen')
    expect(await record('token', start + 800)).toBe('fresh')
    expect(await record('token', start + 300)).toBe('seen')
    expect(await record('token', start + 800)).toBe('seen')
  })

  it('rejects while the file is locked by another, and works again afterwards', async () => {
    const { db, path } = await newFile(20)
    const { record } = sqlNonces({ db, clock: settableClock(start) })
    const other = fileAt(path)
    other.connection.exec('begin immediate')
    await expect(record('token', start + 300)).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringContaining('SQLITE_BUSY'),
    })
    other.connection.exec('rollback')
    expect(await record('token', start + 300)).toBe('fresh')
  })

  it('rejects when the file may grow no more, forgets nothing, and still knows what it has', async () => {
    const { db, connection } = await newFile()
    const { record } = sqlNonces({ db, clock: settableClock(start) })
    connection.exec('PRAGMA max_page_count = 24')
    let recorded = 0
    const failure: unknown = await (async () => {
      for (;;) {
        await record(`token ${recorded}`, start + 300)
        recorded++
      }
    })().catch((cause: unknown) => cause)
    expect(failure).toMatchObject({ code: 'store-failed', message: expect.stringContaining('SQLITE_FULL') })
    expect(recorded).toBeGreaterThan(50)
    for (let i = 0; i < recorded; i++) expect(await record(`token ${i}`, start + 300)).toBe('seen')
    connection.exec('PRAGMA max_page_count = 100000')
    expect(await record(`token ${recorded}`, start + 300)).toBe('fresh')
  })

  it('rejects on a file that takes no writes or has no tables', async () => {
    const { db, connection } = await newFile()
    connection.exec('PRAGMA query_only = 1')
    await expect(sqlNonces({ db }).record('token', start + 300)).rejects.toEqual(storeFailed)
    const bare = fileAt(join(directory.path, 'bare.db'))
    await expect(sqlNonces({ db: bare.db }).record('token', start + 300)).rejects.toEqual(storeFailed)
  })

  it('refuses an end that is no instant', async () => {
    const { db } = await newFile()
    await expect(sqlNonces({ db }).record('token', Number.NaN)).rejects.toMatchObject({
      code: 'config-invalid',
    })
  })
})
