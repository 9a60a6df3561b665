import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { createSigner, requestMessage, rfc9421, type Signer } from 'countersign'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type ExampleGateway, startGateway } from './proving/gateway.ts'
import { root } from './proving/processes.ts'
import { type Relay, startRelay } from './proving/relay.ts'
import { type Service, startService } from './proving/service.ts'
import { describeWith, pathOf } from './proving/tools.ts'

const hopSecret = 'known to nginx and to the gateway'

describeWith(['nginx'], 'nginx.conf and forward-auth.yaml', () => {
  let service: Service
  let gateway: ExampleGateway
  let nginx: ChildProcess
  let relay: Relay
  let signer: Signer

  beforeAll(async () => {
    service = await startService()
    gateway = await startGateway('forward-auth.yaml', service.origin, { COUNTERSIGN_HOP_SECRET: hopSecret })
    const secret = await gateway.createKey('billing', ['invoices:read'])
    signer = createSigner({ scheme: rfc9421(), credential: { id: 'billing', secret } })
    const port = await freePort()
    mkdirSync(join(gateway.folder, 'logs'))
    writeFileSync(join(gateway.folder, 'nginx.conf'), configuration(port))
    const args = ['-p', gateway.folder, '-c', 'nginx.conf', '-e', 'logs/error.log', '-g', 'daemon off;']
    nginx = spawn(pathOf('nginx') ?? '', args, { stdio: 'inherit' })
    await listening(port)
    relay = await startRelay(port)
  }, 30_000)
  afterAll(async () => {
    await relay?.close()
    if (nginx !== undefined) {
      nginx.kill('SIGTERM')
      await once(nginx, 'exit')
    }
    await gateway?.stop()
    await service?.close()
  })
  beforeEach(() => {
    service.take()
  })

  function configuration(port: number): string {
    const site = readFileSync(join(root, 'examples/nginx.conf'), 'utf8')
      .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${gateway.port}`)
      .replace('http://127.0.0.1:9000', service.origin)
      .replace('the secret of the hop', hopSecret)
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path logs;`,
    )
    return `pid nginx.pid; events {}\nhttp { access_log off; ${paths.join(' ')}\n${site}}\n`
  }

  /** Sends a request that is signed for `signedFor`, by default the host it goes to, and gives the status of the answer. */
  const send = async (input: {
    readonly method?: string
    readonly target: string
    readonly body?: string
    readonly fields?: readonly (readonly [string, string])[]
    readonly signedFor?: string
    readonly change?: (request: string) => string
  }): Promise<number> => {
    const { method = 'GET', target, body, fields = [], change = (request) => request } = input
    const host = new URL(relay.origin).host
    const url = `http://${input.signedFor ?? host}${target}`
    const patch = await signer.sign(requestMessage({ method, url, ...(body === undefined ? {} : { body }) }))
    const length = body === undefined ? [] : [['Content-Length', String(body.length)] as const]
    const lines = [['Host', host] as const, ...fields, ...length, ...patch.set].map(
      ([name, value]) => `${name}: ${value}`,
    )
    const answer = await relay.send(
      change(`${[`${method} ${target} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body ?? ''}`),
    )
    return Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1])
  }

  it('passes on who called, and nothing that a client says of it', async () => {
    const fields = ['Key', 'Owner', 'Rights', 'Scheme'].map(
      (what) => [`X-Countersign-${what}`, 'root'] as const,
    )
    const underlined = [['X_Countersign_Key', 'root']] as const
    expect(await send({ target: '/invoices?id=%7e7', fields: [...fields, ...underlined] })).toBe(200)
    const [received] = service.take()
    expect(received?.target).toBe('/invoices?id=%7e7')
    expect(received?.fields.filter(([name]) => /countersign/i.test(name))).toEqual([
      ['X-Countersign-Key', 'billing'],
      ['X-Countersign-Rights', 'invoices:read'],
      ['X-Countersign-Scheme', 'rfc9421'],
    ])
  })

  it('refuses a changed target, a changed method, no signature, and what no route names', async () => {
    const target = '/invoices?id=7'
    expect(await send({ target, change: (request) => request.replace('id=7', 'id=8') })).toBe(401)
    expect(await send({ target, change: (request) => request.replace('GET', 'DELETE') })).toBe(401)
    expect(await send({ target, change: (request) => request.replace(/signature:.*\r\n/i, '') })).toBe(401)
    expect(await send({ target: '/admin' })).toBe(403)
    expect(await send({ target: '/countersign' })).toBe(404)
    expect(service.take()).toEqual([])
  })

  it('refuses what is signed for another host, whatever the client says of host and scheme', async () => {
    const target = '/invoices'
    const signedFor = 'another.example'
    expect(await send({ target, signedFor })).toBe(401)
    expect(await send({ target, signedFor, fields: [['X-Forwarded-Host', signedFor]] })).toBe(401)
    expect(await send({ target, signedFor, fields: [['Forwarded', `host=${signedFor}`]] })).toBe(401)
    expect(await send({ target, fields: [['X-Forwarded-Proto', 'https']] })).toBe(200)
  })

  it('refuses content that the gateway does not see, unless the route takes it unchecked', async () => {
    const body = '{"event":"paid"}'
    expect(await send({ method: 'POST', target: '/invoices', body })).toBe(401)
    expect(await send({ method: 'POST', target: '/hooks', body })).toBe(200)
    expect(service.take()).toMatchObject([{ method: 'POST', target: '/hooks', body }])
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('nginx does not listen')
}
