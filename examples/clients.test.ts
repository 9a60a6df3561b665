import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ExampleGateway, startGateway } from './proving/gateway.ts'
import { type Ending, root, run } from './proving/processes.ts'
import { type Relay, startRelay } from './proving/relay.ts'
import { type Service, startService } from './proving/service.ts'
import { describeWith, pathOf } from './proving/tools.ts'

const invoice = '{"amount":10,"text":"f\u00fcr \\"alles\\""}\n'
const bytesOfInvoice = Buffer.from(invoice).toString('latin1')

let service: Service
let gateway: ExampleGateway
let relay: Relay
let invoiceFile = ''
let secret = ''
let readersSecret = ''

beforeAll(async () => {
  service = await startService()
  gateway = await startGateway('invoices-gateway.yaml', service.origin)
  relay = await startRelay(gateway.port)
  secret = await gateway.createKey('billing', ['invoices:read', 'invoices:write'])
  readersSecret = await gateway.createKey('reader', ['invoices:read'])
  invoiceFile = join(gateway.folder, 'invoice.json')
  writeFileSync(invoiceFile, invoice)
}, 30_000)
afterAll(async () => {
  await relay?.close()
  await gateway?.stop()
  await service?.close()
})
beforeEach(() => {
  relay.change = (request) => request
  service.take()
})

/** Calls a client of these examples. */
type Client = (env: Readonly<Record<string, string>>, ...args: readonly string[]) => Promise<Ending>

const bashTools = ['bash', 'openssl', 'curl']
describeWith(bashTools, 'client.sh', () => {
  let programs = ''
  beforeAll(() => {
    programs = join(gateway.folder, 'bin')
    mkdirSync(programs)
    for (const tool of bashTools) symlinkSync(pathOf(tool) ?? '', join(programs, tool))
  })
  // Finds nothing but bash, openssl and curl.
  proveClient((env, ...args) => run(join(root, 'examples/client.sh'), args, { PATH: programs, ...env }))

  it('never shows its secret to programs that list processes', async () => {
    // Whatever it starts is started by name: these stand-ins note their arguments and call the real program.
    const watched = join(gateway.folder, 'watched')
    mkdirSync(watched)
    symlinkSync(pathOf('bash') ?? '', join(watched, 'bash'))
    const note = join(gateway.folder, 'arguments')
    for (const tool of ['openssl', 'curl']) {
      const lines = ['#!/bin/bash', `printf '%s\\n' "$@" >>'${note}'`, `exec '${pathOf(tool)}' "$@"`]
      writeFileSync(join(watched, tool), `${lines.join('\n')}\n`, { mode: 0o755 })
    }
    const env = { PATH: watched, COUNTERSIGN_KEY: 'billing', COUNTERSIGN_SECRET: secret }
    const args = ['POST', `${relay.origin}/invoices`, invoiceFile]
    const { exitCode } = await run(join(root, 'examples/client.sh'), args, env)
    const { out: noted } = await run(pathOf('bash') ?? '', ['-c', `echo "$(<'${note}')"`])
    expect([exitCode, noted.includes('dgst'), noted.includes(secret)]).toEqual([0, true, false])
  })

  it('refuses a secret that it would sign wrongly with', async () => {
    const env = { COUNTERSIGN_KEY: 'billing', COUNTERSIGN_SECRET: 'x'.repeat(65) }
    const { exitCode, err } = await run(join(root, 'examples/client.sh'), ['GET', relay.origin], env)
    expect([exitCode, err]).toEqual([2, 'the secret has to be 1 to 64 visible characters\n'])
  })
})

describeWith(['python3'], 'client.py', () => {
  // Isolated (-I) and without site-packages (-S): nothing but the standard library is there to be imported.
  const file = join(root, 'examples/client.py')
  proveClient((env, ...args) => run('python3', ['-I', '-S', file, ...args], env))
})

function proveClient(client: Client): void {
  const send = (...args: readonly string[]): Promise<Ending> =>
    client({ COUNTERSIGN_KEY: 'billing', COUNTERSIGN_SECRET: secret }, ...args)

  describe('through the gateway', { timeout: 30_000 }, () => {
    it('gets a URL as it is spelled', async () => {
      const { exitCode, out } = await send('GET', `${relay.origin}/invoices?from=%7e1&to=a+b&&x[]`)
      expect([exitCode, out]).toEqual([0, expect.stringContaining('served')])
      const [received, ...more] = service.take()
      expect(received).toMatchObject({ method: 'GET', target: '/invoices?from=%7e1&to=a+b&&x[]', body: '' })
      expect(received?.fields).toContainEqual(['X-Countersign-Key', 'billing'])
      expect(more).toEqual([])
    })

    it('posts a file byte for byte', async () => {
      const { exitCode } = await send('POST', `${relay.origin}/invoices`, invoiceFile)
      expect(exitCode).toBe(0)
      expect(service.take()).toMatchObject([{ method: 'POST', target: '/invoices', body: bytesOfInvoice }])
    })

    it.each<[string, (request: string) => string]>([
      ['content', (request) => request.replace('"amount":10', '"amount":99')],
      ['target', (request) => request.replace('/invoices', '/invoices/7')],
      ['method', (request) => request.replace(/^POST/, 'GET')],
      ['host', (request) => request.replace(/^host: localhost/im, 'Host: 127.0.0.1')],
      ['content type', (request) => request.replace('application/json', 'text/plain')],
      ['digest', (request) => request.replace(/^content-digest: sha-256=:./im, 'Content-Digest: sha-256=:/')],
      ['nonce', (request) => request.replace(/nonce="./, 'nonce="x')],
    ])('is refused where somebody changes the %s on the way', async (_what, change) => {
      relay.change = (request) => {
        expect(change(request)).not.toBe(request)
        return change(request)
      }
      const { exitCode, out } = await send('POST', `${relay.origin}/invoices`, invoiceFile)
      expect(out).toMatch(/^(?:HTTP\/1.1 )?401 Unauthorized/)
      expect(exitCode).toBeGreaterThan(0)
      expect(service.take()).toEqual([])
    })

    it('is refused where somebody sends its request once more', async () => {
      await send('GET', `${relay.origin}/invoices`)
      expect(service.take()).toHaveLength(1)
      const answer = await relay.send(relay.seen.at(-1) ?? '')
      expect(answer).toMatch(/^HTTP\/1.1 401 [\s\S]*"reason":"replayed"/)
      expect(service.take()).toEqual([])
    })

    it('is refused with another secret, an unknown key or a right that is lacking', async () => {
      const as = async (key: string, own: string) =>
        (
          await client(
            { COUNTERSIGN_KEY: key, COUNTERSIGN_SECRET: own },
            'POST',
            `${relay.origin}/invoices`,
            invoiceFile,
          )
        ).out
      expect(await as('billing', readersSecret)).toMatch(/^(?:HTTP\/1.1 )?401 /)
      expect(await as('nobody', secret)).toMatch(/^(?:HTTP\/1.1 )?401 /)
      expect(await as('reader', readersSecret)).toMatch(/^(?:HTTP\/1.1 )?403 /)
      expect(service.take()).toEqual([])
    })
  })
}
