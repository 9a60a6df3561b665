import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run.ts'

const now = 1_700_000_000
const root = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
const dataDir = join(root, 'data')
afterAll(() => rmSync(root, { recursive: true }))

/** Runs a command line on the database of this test, with a fixed clock and counted random bytes. */
async function countersign(
  args: readonly string[],
  { at = now, from = 0, env = {} }: { at?: number; from?: number; env?: object } = {},
) {
  let out = ''
  let err = ''
  const exitCode = await run([...args, '--data-dir', dataDir], {
    env: { ...env },
    input: Readable.from([]),
    inputTimeoutMs: 5000,
    print: (text) => {
      out += text
    },
    complain: (text) => {
      err += text
    },
    clock: () => at,
    random: (byteLength) => Uint8Array.from({ length: byteLength }, (_, i) => i + from),
    stopped: () => Promise.resolve('SIGTERM'),
  })
  return { exitCode, out, err }
}

const firstSecret = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url')
const secondSecret = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i + 100)).toString('base64url')
const publicKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
`

/** Signs with a secret and asks whether the database verifies it, now or later. */
async function verdictOn(secret: string, at: number, right = 'invoices:read'): Promise<string> {
  const signed = await countersignWithout(['sign', '--key', 'billing', 'https://x/y'], secret, at)
  const path = join(root, 'request.http')
  writeFileSync(path, `GET /y HTTP/1.1\nHost: x\n${signed}\n`)
  const { out } = await countersign(['verify', '--json', '--right', right, path], { at })
  const verdict = JSON.parse(out)
  return verdict.ok ? 'ok' : verdict.reason
}

async function countersignWithout(args: readonly string[], secret: string, at: number): Promise<string> {
  let out = ''
  await run(args, {
    env: { COUNTERSIGN_SECRET: secret },
    input: Readable.from([]),
    inputTimeoutMs: 5000,
    print: (text) => {
      out += text
    },
    complain: () => {},
    clock: () => at,
    random: (byteLength) => new Uint8Array(byteLength),
    stopped: () => Promise.resolve('SIGTERM'),
  })
  return out
}

describe('countersign keys', () => {
  beforeAll(() => writeFileSync(join(root, 'ed25519.pem'), publicKey))

  it('makes nothing where it only looks', async () => {
    for (const args of [['list'], ['show', 'billing'], ['rotate', 'billing'], ['revoke', 'billing']]) {
      const { exitCode, err } = await countersign(['keys', ...args])
      expect({ exitCode, err }).toEqual({
        exitCode: 2,
        err: `countersign: ${dataDir}: there are no credentials; give --data-dir, or make some with countersign keys create\n`,
      })
    }
    expect(readdirSync(root)).toEqual(['ed25519.pem'])
  })

  it('creates a key and shows its secret once, as text that can be pasted', async () => {
    const args = ['keys', 'create', 'billing', '--right', 'invoices:read', '--right', 'invoices:write']
    expect(await countersign([...args, '--owner', 'Team Büro', '--expires', '90d'])).toEqual({
      exitCode: 0,
      out: `created
  id        billing
  state     active
  kind      shared secret
  scheme    any
  owner     Team Büro
  rights    invoices:read, invoices:write
  created   2023-11-14T22:13:20Z
  expires   2024-02-12T22:13:20Z
  secret 1  created 2023-11-14T22:13:20Z

${firstSecret}

Keep the secret now: it is stored sealed and never shown again. Its text is the secret, nothing is to be decoded.
`,
      err: '',
    })
    expect(await verdictOn(firstSecret, now + 10)).toBe('ok')
    expect(await verdictOn(secondSecret, now + 10)).toBe('signature-mismatch')
    expect(await verdictOn(firstSecret, now + 10, 'invoices:delete')).toBe('right-missing')
    expect(await verdictOn(firstSecret, now + 91 * 86_400)).toBe('credential-expired')
  })

  it('refuses an id that is taken', async () => {
    expect(await countersign(['keys', 'create', 'billing', '--json'])).toEqual({
      exitCode: 2,
      out: '',
      err: '{"error":{"code":"store-failed","message":"a credential \\"billing\\" exists already"}}\n',
    })
  })

  it('refuses an end that is past, and an id whose ends a field would lose', async () => {
    const before = (await countersign(['keys', 'list'])).out
    for (const when of ['2020-01-01', '2023-11-14T22:13:20Z', '2023-11-14']) {
      const { exitCode, out, err } = await countersign(['keys', 'create', 'late', '--expires', when])
      expect({ exitCode, out }, when).toEqual({ exitCode: 2, out: '' })
      expect(err).toMatch(/^countersign: --expires: 20\d\d-\d\d-\d\dT\S+ is past/)
    }
    for (const id of [' x', 'x ', '"x', 'x"', "'x'", '"', '\u00a0x', '\tx']) {
      const { exitCode, out, err } = await countersign(['keys', 'create', id])
      expect({ exitCode, out }, id).toEqual({ exitCode: 2, out: '' })
      expect(err).toMatch(/^countersign: the key id begins or ends with a blank or a quote/)
    }
    expect((await countersign(['keys', 'list'])).out).toBe(before)
  })

  it('takes a public key from a file and has no secret to show', async () => {
    const pem = join(root, 'ed25519.pem')
    const args = ['keys', 'create', 'ci', '--algorithm', 'ed25519', '--public-key-file', pem, '--json']
    const { exitCode, out } = await countersign([...args, '--scheme', 'rfc9421', '--expires', '2030-01-31'])
    expect({ exitCode, key: JSON.parse(out) }).toEqual({
      exitCode: 0,
      key: {
        id: 'ci',
        state: 'active',
        kind: 'key',
        scheme: 'rfc9421',
        algorithm: 'ed25519',
        owner: null,
        rights: [],
        createdAt: now,
        notBeforeAt: null,
        expiresAt: 1_896_048_000,
        revokedAt: null,
        versions: [],
      },
    })
    expect((await countersign(['keys', 'rotate', 'ci'])).exitCode).toBe(2)
  })

  it('makes up an id where none is given', async () => {
    const { out } = await countersign(['keys', 'create', '--json'])
    const { id, secret } = JSON.parse(out)
    expect(id).toMatch(/^key_[2-9a-z]{16}$/)
    expect(secret).toBe(firstSecret)
    expect((await countersign(['keys', 'revoke', id, '--json'])).out).toBe(
      `${JSON.stringify({ id, state: 'revoked' }, undefined, 2)}\n`,
    )
  })

  it('rotates with an overlap in which both secrets are valid', async () => {
    const { exitCode, out } = await countersign(['keys', 'rotate', 'billing', '--overlap', '2h'], {
      from: 100,
    })
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out: `rotated; the old secret is valid until 2023-11-15T00:13:20Z
  id        billing
  state     active
  kind      shared secret
  scheme    any
  owner     Team Büro
  rights    invoices:read, invoices:write
  created   2023-11-14T22:13:20Z
  expires   2024-02-12T22:13:20Z
  secret 1  created 2023-11-14T22:13:20Z, valid until 2023-11-15T00:13:20Z
  secret 2  created 2023-11-14T22:13:20Z

${secondSecret}

Keep the secret now: it is stored sealed and never shown again. Its text is the secret, nothing is to be decoded.
`,
    })
    expect(await verdictOn(firstSecret, now + 7200)).toBe('ok')
    expect(await verdictOn(firstSecret, now + 7201)).toBe('signature-mismatch')
    expect(await verdictOn(secondSecret, now + 7201)).toBe('ok')
  })

  it('keeps the old secret for a day unless told otherwise', async () => {
    const { out } = await countersign(['keys', 'rotate', 'billing', '--json'], { from: 200 })
    const { versions } = JSON.parse(out)
    expect(versions.map((version: { expiresAt: number | null }) => version.expiresAt)).toEqual([
      now + 7200,
      now + 86_400,
      null,
    ])
  })

  it('lists and shows keys without secrets', async () => {
    const { out } = await countersign(['keys', 'list'])
    const lines = out.split('\n').filter((line) => !line.startsWith('key_'))
    expect(lines).toEqual([
      expect.stringMatching(/^ID +STATE +KIND +SCHEME +EXPIRES +OWNER +RIGHTS$/),
      expect.stringMatching(
        /^billing +active +secret +any +2024-02-12T22:13:20Z +Team Büro +invoices:read,invoices:write$/,
      ),
      expect.stringMatching(/^ci +active +key +rfc9421 +2030-01-31T00:00:00Z$/),
      '',
    ])
    const shown = [
      await countersign(['keys', 'show', 'billing']),
      await countersign(['keys', 'show', 'billing', '--json']),
      await countersign(['keys', 'list', '--json']),
    ]
    for (const { exitCode, out } of shown) {
      expect(exitCode).toBe(0)
      for (const secret of [firstSecret, secondSecret]) expect(out).not.toContain(secret)
    }
    expect(JSON.parse(shown[2]?.out ?? '').keys.length).toBe(3)
  })

  it('revokes for good, as often as asked', async () => {
    for (let i = 0; i < 2; i++) {
      expect(await countersign(['keys', 'revoke', 'billing'])).toEqual({
        exitCode: 0,
        out: 'revoked billing\n',
        err: '',
      })
    }
    expect(await verdictOn(secondSecret, now)).toBe('credential-inactive')
    expect((await countersign(['keys', 'show', 'billing'])).out).toContain('state     revoked\n')
    expect((await countersign(['keys', 'rotate', 'billing'])).err).toBe(
      'countersign: credential "billing" is revoked\n',
    )
  })

  it('says which key is not there', async () => {
    for (const command of ['show', 'rotate', 'revoke']) {
      expect(await countersign(['keys', command, 'no\x1b[31mpe'])).toEqual({
        exitCode: 2,
        out: '',
        err: 'countersign: there is no key "no\\u{1b}[31mpe"; countersign keys list shows all\n',
      })
    }
  })

  it('leaves no secret in its files in the clear, and none of them open to others', () => {
    for (const name of readdirSync(dataDir)) {
      const path = join(dataDir, name)
      const bytes = readFileSync(path)
      for (const secret of [firstSecret, secondSecret]) {
        expect(bytes.includes(secret), name).toBe(false)
        expect(bytes.includes(Buffer.from(secret, 'base64url')), name).toBe(false)
      }
      expect(statSync(path).mode & 0o077, name).toBe(0)
    }
  })

  it('cannot open the secrets under another master key', async () => {
    const env = { COUNTERSIGN_MASTER_KEY: Buffer.from(publicKey).toString('hex', 27, 59) }
    expect((await countersign(['keys', 'list'], { env })).out).toMatch(/^ci +unreadable/m)
  })
})
