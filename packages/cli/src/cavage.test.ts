import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from './run.ts'

const now = 1_700_000_000
const directory = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
afterAll(() => rmSync(directory, { recursive: true }))

interface Ending {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process, with a fixed clock. */
async function countersign(...args: readonly string[]): Promise<Ending> {
  let out = ''
  let err = ''
  const exitCode = await run(args, {
    env: { COUNTERSIGN_SECRET: 'correct horse battery' },
    input: Object.assign(Readable.from([]), { isTTY: false }),
    inputTimeoutMs: 5000,
    print: (text) => {
      out += text
    },
    complain: (text) => {
      err += text
    },
    clock: () => now,
    random: (byteLength) => new Uint8Array(byteLength),
    stopped: () => Promise.resolve('SIGTERM'),
  })
  return { exitCode, out, err }
}

const sign = ['sign', '--key', 'k1', '--scheme', 'cavage']
const url = 'https://api.example.com/orders?a=1'

/** Writes a request with the fields that were printed, as a client would send it. */
function requestFile(fields: string): string {
  const path = join(directory, 'request.http')
  writeFileSync(
    path,
    `GET /orders?a=1 HTTP/1.1\r\nHost: api.example.com\r\n${fields.trim().replaceAll('\n', '\r\n')}\r\n\r\n`,
  )
  return path
}

describe('the command line', () => {
  it('prints the fields of a Cavage signature, which it verifies', async () => {
    const signed = await countersign(...sign, url)
    expect(signed).toMatchObject({ exitCode: 0, err: '' })
    expect(signed.out).toContain('Date: Tue, 14 Nov 2023 22:13:20 GMT\n')
    expect(signed.out).toContain('headers="(request-target) host date"')
    const verified = await countersign('verify', requestFile(signed.out), '--key', 'k1')
    expect([verified.exitCode, verified.err]).toEqual([0, ''])
    expect(verified.out).toContain('cavage')
    const other = requestFile(signed.out.replace('keyId="k1"', 'keyId="k2"'))
    expect((await countersign('verify', other, '--key', 'k1')).exitCode).toBe(1)
  })

  it('signs the headers of --cover until the end of --expires-in', async () => {
    const covers = ['(request-target)', '(created)', '(expires)', 'host'].flatMap((name) => ['--cover', name])
    const signed = await countersign(...sign, ...covers, '--expires-in', '60s', url)
    expect(signed.out).toContain('algorithm="hs2019",created=1700000000,expires=1700000060,')
    expect((await countersign('verify', requestFile(signed.out), '--key', 'k1')).exitCode).toBe(0)
  })

  it('says which options are of another scheme', async () => {
    const { exitCode, err } = await countersign(...sign, '--tag', 'x', url)
    expect(exitCode).toBe(2)
    expect(err).toContain('--tag: scheme cavage has no such thing; it is for rfc9421')
  })
})
