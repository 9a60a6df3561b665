import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCredentialDatabase } from './database.ts'
import { demoKeyId } from './demo.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from './gateway.ts'
import type { GatewayLog } from './log.ts'
import { type Recorder, startRecorder } from './proving/recorder.ts'
import { requestBytes, signedRequest, testCredential, testSecret } from './proving/signed.ts'
import { openSocket, readAnswer, readHead, sendBytes } from './proving/wire.ts'

const quiet: GatewayLog = { debug() {}, info() {}, warn() {}, error() {} }

describe('a gateway with a configuration file and a database', () => {
  let directory = ''
  let recorder: Recorder
  let gateway: RunningGateway | undefined
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gateway-test-'))
    recorder = await startRecorder()
  })
  afterEach(async () => {
    await gateway?.close()
    gateway = undefined
    await recorder.close()
    rmSync(directory, { recursive: true })
  })

  const start = async (more = '', options: GatewayOptions = {}): Promise<number> => {
    const configPath = join(directory, 'gateway.yaml')
    const text = `listen: { port: 0 }\nupstream: ${recorder.origin}\nroutes: [{ path: / }]\ntimeouts: { drainSeconds: 1 }\n${more}`
    writeFileSync(configPath, text)
    gateway = await startGateway({ configPath, log: quiet, env: {}, ...options })
    return gateway.address.port
  }
  const keys = () => openCredentialDatabase({ dataDir: join(directory, 'data'), env: {} })
  const ask = async (port: number) => (await sendBytes(port, requestBytes(await signedRequest()))).status
  const within = async (ms: number, port: number, status: number) => {
    const startedAt = performance.now()
    while ((await ask(port)) !== status) expect(performance.now() - startedAt).toBeLessThan(ms)
  }

  it('sees within a second what is created, rotated and revoked beside it', async () => {
    const port = await start()
    expect(await ask(port)).toBe(401)
    const database = await keys()
    await database.credentials.create({ id: testCredential.id, secret: new TextEncoder().encode(testSecret) })
    await within(1000, port, 200)
    await database.credentials.rotate(testCredential.id, { secret: randomBytes(32), overlapSeconds: 1 })
    await within(3500, port, 401)
    await database.credentials.rotate(testCredential.id, {
      secret: new TextEncoder().encode(testSecret),
      overlapSeconds: 0,
    })
    await within(1000, port, 200)
    await database.credentials.revoke(testCredential.id)
    await within(1000, port, 401)
    await database.close()
  })

  it('keeps nonces in the database where it is told to, past its end', async () => {
    const database = await keys()
    await database.credentials.create({ id: testCredential.id, secret: new TextEncoder().encode(testSecret) })
    await database.close()
    const bytes = requestBytes(await signedRequest())
    const first = await start('nonces: sqlite\n')
    expect((await sendBytes(first, bytes)).status).toBe(200)
    expect((await sendBytes(first, bytes)).status).toBe(401)
    await gateway?.close()
    const second = await start('nonces: sqlite\n')
    expect((await sendBytes(second, bytes)).status).toBe(401)
    expect(recorder.requests).toHaveLength(1)
  })

  it('answers 503 while its database cannot be read, and says so at its health path', async () => {
    const port = await start()
    const health = () =>
      sendBytes(port, 'GET /.countersign/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await health()).toMatchObject({ status: 200, body: '{"status":"ready"}\n' })
    const database = await keys()
    const rename = (from: string, to: string) =>
      sql`ALTER TABLE ${sql.id(from)} RENAME TO ${sql.id(to)}`.execute(database.db)
    await rename('countersign_credentials', 'elsewhere')
    await within(1000, port, 503)
    while ((await health()).status !== 503) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(recorder.bytes).toBe(0)
    await rename('elsewhere', 'countersign_credentials')
    await within(1000, port, 401)
    while ((await health()).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50))
    await database.close()
  })

  it('says at its health path that nonces cannot be recorded, and finds out by itself that they can', async () => {
    const database = await keys()
    await database.credentials.create({ id: testCredential.id, secret: new TextEncoder().encode(testSecret) })
    const port = await start('nonces: sqlite\n')
    const health = async () =>
      (await sendBytes(port, 'GET /.countersign/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))
        .status
    expect([await ask(port), await health()]).toEqual([200, 200])
    await sql`CREATE TRIGGER full BEFORE INSERT ON countersign_nonces BEGIN SELECT RAISE(ABORT, 'full'); END`.execute(
      database.db,
    )
    expect([await ask(port), recorder.requests.length]).toEqual([503, 1])
    while ((await health()) !== 503) await new Promise((resolve) => setTimeout(resolve, 20))
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await health()).toBe(503)
    await sql`DROP TRIGGER full`.execute(database.db)
    while ((await health()) !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await ask(port)).toBe(200)
    await database.close()
  })

  it.each([
    ['GET /.countersign/metrics', 404],
    ['POST /.countersign/health', 404],
    ['GET /.countersign/health?x', 404],
    ['GET /.countersign/auth', 404],
    ['GET /.countersign', 404],
    ['GET /%2ecountersign/health', 401],
    ['GET /.countersign/health/../../x', 404],
  ])('serves nothing else of its own: %s is %i', async (line, status) => {
    const port = await start()
    const answer = await sendBytes(
      port,
      `${line} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    )
    expect([answer.status, recorder.bytes]).toEqual([status, 0])
  })

  it('does not start on a port that is taken, and says so', async () => {
    const port = await start()
    const configPath = join(directory, 'gateway.yaml')
    await expect(startGateway({ configPath, listen: { port }, log: quiet, env: {} })).rejects.toThrow(
      `port ${port}: it is in use`,
    )
  })

  it('does not go on listening where its start fails behind that', async () => {
    let port = 0
    const log: GatewayLog = {
      ...quiet,
      info(facts, message) {
        if (message === 'listening') port = Number(facts.port)
      },
    }
    const failing = startGateway({
      demo: true,
      dataDir: join(directory, 'demo'),
      listen: { port: 0 },
      log,
      env: {},
      print: () => {
        throw new Error('nobody reads')
      },
    })
    await expect(failing).rejects.toThrow('nobody reads')
    expect(port).toBeGreaterThan(0)
    await expect(openSocket(port)).rejects.toThrow('ECONNREFUSED')
  })

  it.each([
    ['a port that is taken', ''],
    [
      'a hop secret that is not there',
      'forwardAuth: { trustedHops: [127.0.0.1], secretEnv: NONE, fields: x-original }\n',
    ],
  ])(
    'lets its process end at once where it cannot start: %s',
    async (_what, more) => {
      const port = await start()
      const configPath = join(directory, 'second.yaml')
      writeFileSync(configPath, `listen: { port: ${port} }\nupstream: echo\nroutes: [{ path: / }]\n${more}`)
      const program = `
      import { startGateway } from ${JSON.stringify(new URL('gateway.ts', import.meta.url).href)}
      await startGateway({ configPath: ${JSON.stringify(configPath)} }).catch(() => console.log('did not start'))`
      const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
      const said = await new Promise((resolve) =>
        execFile(process.execPath, args, { timeout: 10_000 }, (error, out) => resolve([error, out])),
      )
      expect(said).toEqual([null, 'did not start\n'])
    },
    15_000,
  )

  it('does not start without the hop secret that its configuration names', async () => {
    const more = 'forwardAuth: { trustedHops: [127.0.0.1], secretEnv: HOP_SECRET, fields: x-original }\n'
    await expect(start(more)).rejects.toThrow('expected at least 16 characters in HOP_SECRET')
  })

  it('finishes what is in flight when it closes, and takes nothing new', async () => {
    const port = await start()
    const database = await keys()
    await database.credentials.create({ id: testCredential.id, secret: new TextEncoder().encode(testSecret) })
    await within(1000, port, 200)
    const body = randomBytes(5000)
    const bytes = requestBytes(await signedRequest({ method: 'POST', body }))
      .toString('latin1')
      .replace('Connection: close\r\n', '')
    const busy = await openSocket(port)
    busy.write(bytes.slice(0, -1), 'latin1')
    const idle = await openSocket(port)
    idle.write(
      requestBytes(await signedRequest())
        .toString('latin1')
        .replace('Connection: close\r\n', ''),
      'latin1',
    )
    await readHead(idle)
    const closedIdle = new Promise((resolve) => idle.once('close', resolve))
    const fresh = await openSocket(port)
    const closing = gateway?.close()
    await closedIdle
    await expect(openSocket(port)).rejects.toThrow('ECONNREFUSED')
    const answer = readAnswer(busy)
    busy.write(bytes.slice(-1), 'latin1')
    expect(await answer).toMatchObject({ status: 200 })
    expect((await answer).fields.get('connection')).toBe('close')
    await closing
    expect(fresh.destroyed || fresh.readableEnded || (await readAnswer(fresh)).status === 0).toBe(true)
    gateway = undefined
    await database.close()
  })

  it('answers 503 to a request that comes after it began to close, on a connection from before', async () => {
    const port = await start()
    const early = await openSocket(port)
    const closing = gateway?.close()
    const answer = readAnswer(early)
    early.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await answer).toMatchObject({ status: 503 })
    await closing
    gateway = undefined
  })

  it('ends after its time also where a client does not', async () => {
    const port = await start()
    const stuck = await openSocket(port)
    stuck.write(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nSignature-Input: ',
    )
    const startedAt = performance.now()
    await gateway?.close()
    expect(performance.now() - startedAt).toBeLessThan(3000)
    gateway = undefined
  })
})

describe('the demo', () => {
  let dataDir = ''
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'demo-test-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true }))

  const start = async () => {
    const printed: string[] = []
    const gateway = await startGateway({
      demo: true,
      dataDir,
      listen: { port: 0 },
      log: quiet,
      env: {},
      print: (text) => void printed.push(text),
    })
    const lines = printed
      .join('')
      .split('\n')
      .filter((line) => line.includes('curl '))
    return { gateway, lines, text: printed.join('') }
  }
  const bash = (line: string) =>
    new Promise<string>((resolve) => execFile('bash', ['-c', line], (_error, out, err) => resolve(out + err)))

  it('prints a signed line that passes as often as it is pasted, and a tampered one that is refused', async () => {
    for (let round = 0; round < 2; round++) {
      const { gateway, lines } = await start()
      expect(lines).toHaveLength(2)
      const [signed = '', tampered = ''] = lines
      for (let paste = 0; paste < 2; paste++) {
        const good = await bash(signed)
        expect(good).toMatch(/^HTTP\/1\.1 200 /)
        expect(good).toContain('"caller": "demo"')
        const bad = await bash(tampered)
        expect(bad).toMatch(/^HTTP\/1\.1 401 /)
        expect(bad).toContain('"reason":"digest-mismatch"')
      }
      await gateway.close()
    }
  })

  it('refuses a request that is not signed', async () => {
    const { gateway } = await start()
    const answer = await sendBytes(
      gateway.address.port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    expect([answer.status, answer.fields.get('accept-signature')]).toEqual([
      401,
      expect.stringContaining('@method'),
    ])
    await gateway.close()
  })

  it('says that its credential was revoked instead of making another', async () => {
    await (await start()).gateway.close()
    const database = await openCredentialDatabase({ dataDir, env: {} })
    await database.credentials.revoke(demoKeyId)
    await database.close()
    const { gateway, text, lines } = await start()
    expect([lines, text]).toEqual([[], expect.stringContaining('not usable any more')])
    await gateway.close()
  })
})
