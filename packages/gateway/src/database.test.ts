import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CountersignError } from 'countersign'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { databaseFile, openCredentialDatabase } from './database.ts'
import { masterKeyFile } from './master-key.ts'

const secret = new TextEncoder().encode('canary secret of thirty-two bytes')

describe('a data directory', () => {
  let parent = ''
  let dataDir = ''
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'database-test-'))
    dataDir = join(parent, 'data')
  })
  afterEach(() => rmSync(parent, { recursive: true, force: true }))

  const open = (env: Readonly<Record<string, string>> = {}) => openCredentialDatabase({ dataDir, env })
  const failure = async (given: Promise<unknown>): Promise<CountersignError> => {
    const cause: unknown = await given.then(
      () => expect.fail('it worked'),
      (reason: unknown) => reason,
    )
    if (!(cause instanceof CountersignError)) throw cause
    return cause
  }
  const modeOf = (...path: readonly string[]) => (statSync(join(dataDir, ...path)).mode & 0o777).toString(8)

  it('is made on first start, for its owner alone, with database and key', async () => {
    const startedAt = performance.now()
    const database = await open()
    expect(performance.now() - startedAt).toBeLessThan(3000)
    await database.credentials.create({ id: 'a', secret })
    expect(modeOf()).toBe('700')
    for (const file of readdirSync(dataDir)) expect([file, modeOf(file)]).toEqual([file, '600'])
    expect(readdirSync(dataDir)).toContain(masterKeyFile)
    await database.close()
  })

  it('writes every commit through to the disk, ahead of the tables', async () => {
    const database = await open()
    const { sql } = await import('kysely')
    const pragma = async (name: string) => (await sql`PRAGMA ${sql.raw(name)}`.execute(database.db)).rows[0]
    expect(await pragma('journal_mode')).toMatchObject({ journal_mode: 'wal' })
    expect(await pragma('synchronous')).toMatchObject({ synchronous: 2 })
    await database.close()
  })

  it('keeps its credentials, and no file of it holds a secret', async () => {
    const first = await open()
    await first.credentials.create({ id: 'a', secret, rights: ['x'] })
    for (const file of readdirSync(dataDir)) {
      const bytes = readFileSync(join(dataDir, file))
      for (const form of ['latin1', 'base64', 'hex'] as const) {
        const text = Buffer.from(secret).toString(form).replace(/=+$/, '')
        expect(bytes.includes(text), `${file} as ${form}`).toBe(false)
      }
    }
    await first.close()
    const second = await open()
    expect(await second.credentials.find('a', 'rfc9421')).toMatchObject({ id: 'a', rights: ['x'] })
    await second.close()
  })

  it('takes the master key from the environment, in hex or base64, and then makes no key file', async () => {
    const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i + 1))
    const first = await open({ COUNTERSIGN_MASTER_KEY: key.toString('hex') })
    await first.credentials.create({ id: 'a', secret })
    await first.close()
    expect(existsSync(join(dataDir, masterKeyFile))).toBe(false)
    const second = await open({ COUNTERSIGN_MASTER_KEY: `${key.toString('base64')}\n` })
    expect(await second.credentials.find('a', 'rfc9421')).toBeDefined()
    await second.close()
  })

  it.each(['', 'x', 'ab'.repeat(31), 'zz'.repeat(32), Buffer.alloc(31).toString('base64')])(
    'refuses the malformed master key number %#, and does not repeat it',
    async (key) => {
      const given = key === '' ? ' ' : key
      const error = await failure(open({ COUNTERSIGN_MASTER_KEY: given }))
      expect(error.code).toBe('key-invalid')
      if (key !== '' && key !== 'x') expect(error.message).not.toContain(key)
    },
  )

  it('refuses a key file that others may read', async () => {
    await (await open()).close()
    chmodSync(join(dataDir, masterKeyFile), 0o640)
    const error = await failure(open())
    expect([error.code, error.message]).toEqual(['key-invalid', expect.stringContaining('mode 640')])
  })

  it('refuses a key file that is a link', async () => {
    mkdirSync(dataDir)
    writeFileSync(join(parent, 'elsewhere'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 })
    symlinkSync(join(parent, 'elsewhere'), join(dataDir, masterKeyFile))
    expect((await failure(open())).message).toContain('expected a plain file')
  })

  it('does not make a new key where secrets are sealed under one that is gone', async () => {
    await (await open()).close()
    rmSync(join(dataDir, masterKeyFile))
    expect((await failure(open())).message).toContain('is gone')
    expect(existsSync(join(dataDir, masterKeyFile))).toBe(false)
  })

  it('does not accept under another key what was sealed under the first', async () => {
    const first = await open()
    await first.credentials.create({ id: 'a', secret })
    await first.close()
    const second = await open({
      COUNTERSIGN_MASTER_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i + 40)).toString('hex'),
    })
    await expect(Promise.resolve(second.credentials.find('a', 'rfc9421'))).rejects.toThrow(CountersignError)
    await second.close()
  })

  it.each([
    ['is a file', () => writeFileSync(dataDir, '')],
    ['has a directory for a database', () => mkdirSync(join(dataDir, databaseFile), { recursive: true })],
    [
      'has another file for a database',
      () => {
        mkdirSync(dataDir)
        writeFileSync(
          join(dataDir, masterKeyFile),
          Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64'),
          { mode: 0o600 },
        )
        writeFileSync(
          join(dataDir, databaseFile),
          'this is not a database, and it is long enough to be looked at as one'.repeat(20),
        )
      },
    ],
  ])('that %s is named in the error', async (_what, prepare) => {
    prepare()
    const error = await failure(open())
    expect(['store-failed', 'key-invalid']).toContain(error.code)
    expect(error.message).toContain(dataDir)
  })

  it('that cannot be written ends the start with an error that names the file', async () => {
    await (await open()).close()
    const script = join(parent, 'open.mjs')
    const entry = new URL('../dist/index.js', import.meta.url).href
    writeFileSync(
      script,
      // Root may write everything; as nobody it is like everybody else. The program is loaded before, from wherever it is.
      `import { openCredentialDatabase } from ${JSON.stringify(entry)}
       if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534) }
       try { await openCredentialDatabase({ dataDir: ${JSON.stringify(dataDir)}, env: { COUNTERSIGN_MASTER_KEY: '${'0123456789abcdef'.repeat(4)}' } }); console.log('opened') }
       catch (error) { console.log(error.code, error.message) }`,
    )
    chmodSync(parent, 0o755)
    chmodSync(dataDir, 0o555)
    chmodSync(join(dataDir, databaseFile), 0o444)
    const { stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
    expect(stdout).toMatch(
      new RegExp(`^store-failed ${join(dataDir, databaseFile)}: the credential database cannot be used`),
    )
    chmodSync(dataDir, 0o700)
  })

  it('tells when another process has changed it, and not of changes of its own', async () => {
    const database = await open()
    const before = database.version()
    await database.credentials.create({ id: 'mine', secret })
    expect(database.version()).toBe(before)
    const other = await open()
    await other.credentials.create({ id: 'theirs', secret })
    expect(database.version()).not.toBe(before)
    await other.close()
    await database.close()
  })

  it('is made once by processes that start at the same time', async () => {
    const script = join(parent, 'open.mjs')
    const entry = new URL('../dist/index.js', import.meta.url).href
    writeFileSync(
      script,
      `import { openCredentialDatabase } from ${JSON.stringify(entry)}
       const database = await openCredentialDatabase({ dataDir: ${JSON.stringify(dataDir)}, env: {} })
       await database.credentials.create({ id: process.argv[2], secret: new Uint8Array(32).fill(7).map((b, i) => b + i) })
       await database.close()`,
    )
    const line = [1, 2, 3, 4].map((n) => `${process.execPath} ${script} caller-${n} & p${n}=$!`).join('\n')
    execFileSync('bash', ['-c', `${line}\nwait $p1 && wait $p2 && wait $p3 && wait $p4`])
    const database = await open()
    expect((await database.credentials.list()).map(({ id }) => id).sort()).toEqual([
      'caller-1',
      'caller-2',
      'caller-3',
      'caller-4',
    ])
    for (const n of [1, 2, 3, 4])
      expect(await database.credentials.find(`caller-${n}`, 'rfc9421')).toBeDefined()
    await database.close()
  })
})
