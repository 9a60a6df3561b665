import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// Real processes, as a shell starts them.
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'countersign-main-'))
const dataDir = join(root, 'data')
const environment = { PATH: process.env.PATH ?? '' }

interface Ending {
  readonly exitCode: number | null
  readonly out: string
  readonly err: string
}

function countersign(args: readonly string[], { env = {}, input = '' } = {}): Promise<Ending> {
  return new Promise((resolve) => {
    const options = { env: { ...environment, ...env } }
    const child = execFile(process.execPath, [main, ...args], options, (_, out, err) => {
      resolve({ exitCode: child.exitCode, out, err })
    })
    child.stdin?.on('error', () => {}).end(input)
  })
}

/** Starts a gateway on a free port and gives it once it has said where it listens. */
async function serve(args: readonly string[]): Promise<{ gateway: ChildProcess; port: number }> {
  const all = [main, 'serve', '--json', '--listen', '127.0.0.1:0', '--data-dir', dataDir, ...args]
  const gateway = spawn(process.execPath, all, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(gateway)
  let said = ''
  gateway.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  for await (const chunk of gateway.stdout) {
    const announced: { readonly port: number } = JSON.parse(String(chunk))
    return { gateway, port: announced.port }
  }
  throw new Error(`the gateway ended: ${said}`)
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => {
    if (child.exitCode === null) child.on('exit', resolve)
    else resolve(child.exitCode)
  })

beforeAll(() => {
  if (!existsSync(main)) throw new Error('packages/cli/dist is missing; run: npm run build')
})
const running: ChildProcess[] = []
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})

describe('the countersign process', { timeout: 30_000 }, () => {
  it('pipes what it signs into what it verifies', async () => {
    const env = { COUNTERSIGN_SECRET: 'a secret of this test, known to both' }
    const signed = await countersign(['sign', '--key', 'k', '--data', 'hi', 'https://x/y'], { env })
    const request = (body: string) =>
      `POST /y HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n${signed.out.replaceAll('\n', '\r\n')}\r\n${body}`
    expect((await countersign(['verify', '--key', 'k'], { env, input: request('hi') })).exitCode).toBe(0)
    const { exitCode, out, err } = await countersign(['verify', '--key', 'k'], { env, input: request('ho') })
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: '' })
    expect(out).toMatch(/^refused: digest-mismatch\n/)
  })

  it('ends with 2 and one line on misuse', async () => {
    expect(await countersign(['verify', '--key', 'k', '/dev/zero'])).toEqual({
      exitCode: 2,
      out: '',
      err: 'countersign: no secret: set COUNTERSIGN_SECRET, or give --secret-file <path> (- for standard input)\n',
    })
  })

  it('reads endless input no further than its limit', async () => {
    const env = { COUNTERSIGN_SECRET: 'a secret of this test, known to both' }
    const child = spawn(process.execPath, [main, 'verify', '--key', 'k'], { env: { ...environment, ...env } })
    const zeros = Buffer.alloc(1_048_576)
    let written = 0
    const write = () => {
      while (written < 1e9 && child.stdin.write(zeros)) written += zeros.length
    }
    child.stdin.on('drain', write).on('error', () => {})
    write()
    expect(await ended(child)).toBe(2)
    expect(written).toBeLessThan(64_000_000)
  })
})

describe('countersign serve, keys and curl', { timeout: 60_000 }, () => {
  it('sends what the gateway verifies, follows rotation and revocation, and ends on SIGTERM with 0', async () => {
    const { gateway, port } = await serve(['--demo'])
    const origin = `http://localhost:${port}`
    const created = await countersign(['keys', 'create', 'app', '--json', '--data-dir', dataDir])
    const env = { COUNTERSIGN_SECRET: JSON.parse(created.out).secret }
    const send = (args: readonly string[], before: readonly string[] = [], more = env) =>
      countersign(['curl', '--key', 'app', ...before, ...args, '-sS'], { env: more })

    const plain = await send([`${origin}/a%20b?x=%7e&y`])
    expect({ exitCode: plain.exitCode, err: plain.err }).toEqual({ exitCode: 0, err: '' })
    expect(JSON.parse(plain.out)).toMatchObject({ method: 'GET', target: '/a%20b?x=%7e&y', caller: 'app' })

    writeFileSync(join(root, 'body'), 'a\nb\0c')
    const binary = await send([
      `${origin}/`,
      '--data-binary',
      `@${join(root, 'body')}`,
      '-H',
      'Content-Type: x/y',
    ])
    expect(JSON.parse(binary.out)).toMatchObject({ method: 'POST', body: { bytes: 5 } })
    const stripped = await send(
      [`${origin}/`, '-d', `@${join(root, 'body')}`, '-d', 'd'],
      ['--scheme', 'ustudio-hmac'],
    )
    expect(stripped.exitCode).toBe(1)

    const json = await send([origin, '--json', '{"a":1}'], ['--json'])
    const { request, response } = JSON.parse(json.out)
    expect(request).toEqual({ method: 'POST', url: origin, scheme: 'rfc9421', keyId: 'app' })
    expect(response).toMatchObject({ status: 200, contentType: 'application/json' })

    const forged = await send([origin, '-i'], [], {
      COUNTERSIGN_SECRET: 'another secret, not that of the key',
    })
    expect(forged.exitCode).toBe(1)
    expect(forged.out).toMatch(/^HTTP\/1\.1 401 /)

    const rotated = await countersign([
      'keys',
      'rotate',
      'app',
      '--overlap',
      '0s',
      '--json',
      '--data-dir',
      dataDir,
    ])
    await withinOneSecond(async () => (await send([origin])).exitCode === 1)
    const next = { COUNTERSIGN_SECRET: JSON.parse(rotated.out).secret }
    expect((await send([origin], [], next)).exitCode).toBe(0)

    await countersign(['keys', 'revoke', 'app', '--data-dir', dataDir])
    await withinOneSecond(async () => (await send([origin], [], next)).exitCode === 1)

    gateway.kill('SIGTERM')
    expect(await ended(gateway)).toBe(0)
    const gone = await send([origin], [], next)
    expect({ exitCode: gone.exitCode, out: gone.out }).toEqual({ exitCode: 2, out: '' })
    expect(gone.err).toMatch(/^countersign: curl ended with code 7: [^\n]*connect[^\n]*\n$/)
    const unsilenced = await countersign(['curl', '--key', 'app', origin], { env })
    expect(unsilenced).toEqual({ exitCode: 2, out: '', err: gone.err })
  })

  it('sends to any server exactly what it signed, with the fields curl is told', async () => {
    const lines: string[][] = []
    const server = createServer((request, response) => {
      lines.push([`${request.method} ${request.url}`, ...request.rawHeaders])
      response.end('ok')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const env = { COUNTERSIGN_SECRET: 'a secret of this test, known to both' }
    const send = (...args: readonly string[]) => countersign(['curl', '--key', 'k', ...args, '-sS'], { env })
    expect((await send(`${origin}/a/../b/{1,2}[x]?q=%7e|`)).exitCode).toBe(0)
    expect(
      (await send(origin, '-X', 'DELETE', '-H', 'Host: virtual.example', '-H', 'Accept:')).exitCode,
    ).toBe(0)
    expect((await send(`${origin}?`, '-d', 'x', '-H', 'Content-Type:')).exitCode).toBe(0)
    expect((await send(`${origin}/`, '-I')).exitCode).toBe(0)
    server.close()
    expect(lines.map(([line]) => line)).toEqual([
      'GET /a/../b/{1,2}[x]?q=%7e|',
      'DELETE /',
      'POST /?',
      'HEAD /',
    ])
    expect(lines[1]).toContain('virtual.example')
    expect(lines[1]).not.toContain('Accept')
    expect(lines[2]).not.toContain('Content-Type')
    for (const line of lines) expect(line).toContain('Signature-Input')
  })
})

describe('countersign curl', { timeout: 30_000 }, () => {
  it('shows no signature in the arguments of any process, whatever bytes it sends', async () => {
    const seen: { readonly fields: readonly string[]; readonly body: string; readonly args: string }[] = []
    let pid: number | undefined
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request.setEncoding('latin1')) body += chunk
      seen.push({ fields: request.rawHeaders, body, args: await argumentsBelow(pid ?? 0) })
      response.statusCode = seen.length === 2 ? 418 : 200
      response.end('ok')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const env = { ...environment, COUNTERSIGN_SECRET: 'a secret of this test, known to both' }
    const odd = 'a "quoted" \\back\\slash\té #@'
    const args = ['curl', '--key', 'k', '--scheme', 'ustudio-hmac', `${origin}/"x"`, '-H', `X-Odd: ${odd}`]
    for (const more of [[], ['--data-raw', '@body "\n']]) {
      const child = spawn(process.execPath, [main, ...args, ...more], { env })
      pid = child.pid
      let out = ''
      let err = ''
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString()
      })
      child.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString()
      })
      child.stdin.end()
      const exitCode = await ended(child)
      expect([exitCode, out, err]).toEqual(
        seen.length === 1 ? [0, 'ok', ''] : [1, 'ok', expect.stringMatching(/^curl: \(22\) .* 418\n$/)],
      )
    }
    server.close()
    expect(seen.map(({ body }) => body)).toEqual(['', '@body "\n'])
    for (const { fields, args: shown } of seen) {
      const signature = fields[fields.indexOf('Authorization') + 1]?.split(' ')[2] ?? ''
      expect(signature).toMatch(/^[0-9a-f]{64}$/)
      expect(fields[fields.indexOf('X-Odd') + 1]).toBe(Buffer.from(odd).toString('latin1'))
      expect(shown).toMatch(/curl --disable/)
      expect(shown).not.toContain(signature)
      expect(shown).not.toContain('Authorization')
    }
  })
})

/** The arguments of all processes that a process has started, as every user of the machine may read them. */
function argumentsBelow(pid: number): Promise<string> {
  return new Promise((resolve) => {
    execFile('ps', ['-A', '-ww', '-o', 'ppid=,args='], (_, out) => {
      resolve(
        out
          .split('\n')
          .filter((line) => Number.parseInt(line, 10) === pid)
          .join('\n'),
      )
    })
  })
}

/** Asks until it is so; the last question is asked no later than a second after the first. */
async function withinOneSecond(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 1000
  do {
    if (await isSo()) return
  } while (performance.now() < end)
  throw new Error('the gateway did not follow within a second')
}
