import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { SeedCase, SeedFile } from 'countersign/testing'
import { describe, expect, it } from 'vitest'
import { run } from './run.ts'

const vectors = (name: string): readonly SeedCase[] => {
  const path = new URL(`../../../vectors/${name}/seed.json`, import.meta.url)
  const file: SeedFile = JSON.parse(readFileSync(path, 'utf8'))
  return file.cases
}

interface Ending {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process. */
async function countersign(
  args: readonly string[],
  secret: string,
  input = '',
  now = 1_700_000_000,
): Promise<Ending> {
  let out = ''
  let err = ''
  const exitCode = await run(args, {
    env: { COUNTERSIGN_SECRET: secret },
    input: Object.assign(Readable.from(input === '' ? [] : [Buffer.from(input, 'latin1')]), { isTTY: false }),
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

/** The request of a vector as HTTP/1.1 text. */
function asText({ request }: SeedCase): string {
  const fields = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const body = Buffer.from(request.bodyBase64, 'base64').toString('latin1')
  return `${request.method} ${request.target} HTTP/1.1\r\n${fields}\r\n${body}`
}

const url = 'http://api.example.test/api/v1/create'
const hmacauth = ['sign', '--key', 'admin', '--scheme', 'flask-hmacauth']

describe('countersign sign with the schemes of Flask', () => {
  it('prints the signature of flask-hmacauth, and what to append to the query', async () => {
    const { exitCode, out } = await countersign([...hmacauth, url], 'adm1n-s3cret')
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out: `X-Auth-Signature: 3acee2e5630a039b9c19f2574f14eccf88b8f3b7

and at the end of the query: TIMESTAMP=1700000000&ACCOUNT_ID=admin
`,
    })
    const [first] = vectors('flask-hmacauth').filter(({ id }) => id.endsWith('s034'))
    expect(out).toContain(first?.signer?.headers[0]?.[1])
  })

  it('takes the hash of flask-hmacauth from --algorithm', async () => {
    const { out } = await countersign(
      [...hmacauth, '--algorithm', 'hmac-sha256', '--json', url],
      'adm1n-s3cret',
    )
    const [recorded] = vectors('flask-hmacauth').filter(({ server }) => server.digest === 'sha256')
    expect(JSON.parse(out)).toMatchObject({
      fields: [{ name: 'X-Auth-Signature', value: recorded?.signer?.headers[0]?.[1] }],
      query: 'TIMESTAMP=1700000000&ACCOUNT_ID=admin',
    })
  })

  it('prints each variant of flask-hmac as the original makes it', async () => {
    let compared = 0
    for (const { id, signer, server } of vectors('flask-hmac')) {
      const { name, path, bodyBase64, secret } = signer?.input ?? {}
      // The command line signs what fits an option: ASCII text under an ASCII key.
      const body = typeof bodyBase64 === 'string' ? Buffer.from(bodyBase64, 'base64').toString('latin1') : ''
      if (typeof secret !== 'string' || !/^[!-~]+$/.test(secret) || !/^[ -~]*$/.test(body)) continue
      if (
        signer === null ||
        server.digest !== 'sha256' ||
        (typeof path === 'string' && !/^[\w/-]+$/.test(path))
      )
        continue
      const variant = String(server.variant).replace(
        /^\w+/,
        path !== undefined ? 'path' : name !== undefined ? 'named' : 'body',
      )
      const key = typeof name === 'string' ? name : 'default'
      if (key === '' || key.includes(':')) continue
      const target = `http://hmac.example.test${typeof path === 'string' ? path : '/'}`
      const args = [
        'sign',
        '--key',
        key,
        '--scheme',
        'flask-hmac',
        '--variant',
        variant,
        '-X',
        'POST',
        '--data',
        body,
        target,
      ]
      const { out } = await countersign(args, secret)
      expect(out.replace(/^[\w-]+: /, ''), id).toBe(`${signer.headers[0]?.[1]}\n`)
      compared++
    }
    expect(compared).toBeGreaterThan(50)
  })

  it('asks for the variant, and for none elsewhere', async () => {
    const plain = ['sign', '--key', 'k', '--scheme', 'flask-hmac']
    expect(await countersign([...plain, url], 's')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('needs --variant: path, body-base64url'),
    })
    expect(await countersign([...hmacauth, '--variant', 'path', url], 's')).toMatchObject({ exitCode: 2 })
    expect(await countersign([...plain, '--variant', 'path', '--tag', 'x', url], 's')).toMatchObject({
      exitCode: 2,
    })
  })
})

describe('countersign verify with the schemes of Flask', () => {
  it.each([
    ['flask-hmacauth', 'admin', 'adm1n-s3cret', 's001'],
    ['flask-hmac', 'default', 's3cr3tk3y', 's106'],
    ['flask-hmac', 'another', 's3cr3tk3y', 's010'],
    ['flask-hmac', 'default', 's3cr3tk3y', 's006'],
    ['flask-hmac', 'a', 'f00', 's040'],
    ['flask-hmac', 'b', 'b4r', 's038'],
  ])(
    'accepts a recorded request of %s by %s, and refuses it under another secret',
    async (name, key, secret, id) => {
      const recorded = vectors(name).find((one) => one.id.endsWith(id))
      if (recorded === undefined) throw new Error('no such vector')
      const args = ['verify', '--key', key, '--json', '-']
      const good = await countersign(args, secret, asText(recorded), recorded.clock)
      expect(JSON.parse(good.out), good.err).toMatchObject({ ok: true, scheme: name })
      expect(good.exitCode).toBe(0)
      expect((await countersign(args, 'another', asText(recorded), recorded.clock)).exitCode).toBe(1)
    },
  )
})
