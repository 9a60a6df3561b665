import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { authHttp, nginxArguments, nginxProgram, proxyHttp, upstreamHttp } from './nginx.ts'
import type { BenchCredential } from './pre-signed.ts'
import { freePort, type Running, start } from './running.ts'

/** One way to stand in front of the service. */
export interface Entrance {
  readonly name: string
  readonly port: number
  /** Whether it must refuse what is unsigned or comes twice. */
  readonly verifies: boolean
  readonly programs: readonly Running[]
}

/** All of them, in front of one service. */
export interface Line {
  readonly entrances: readonly Entrance[]
  readonly credential: BenchCredential
  stop(): Promise<void>
}

/** Names of the contestants that have limits. */
export const gatewayName = 'gateway: RFC 9421, content digest, nonces'
export const openGatewayName = 'gateway, verification off'
export const handWrittenName = 'nginx + auth_request to a hand-written verifier'

const command = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url))
const hopSecret = 'known to nginx and gateway'

/** Starts everything, with its files below a directory. Stops what it has started where something does not start. */
export async function startLine(directory: string): Promise<Line> {
  const started: Running[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((running) => running.stop()))
  }
  try {
    const starter = new Starter(directory, started)
    return { ...(await starter.startAll()), stop }
  } catch (failure) {
    await stop()
    throw failure
  }
}

class Starter {
  readonly #directory: string
  readonly #dataDir: string
  readonly #started: Running[]
  #env: Readonly<Record<string, string>> = { BENCH_HOP_SECRET: hopSecret }

  constructor(directory: string, started: Running[]) {
    this.#directory = directory
    this.#dataDir = join(directory, 'data')
    this.#started = started
  }

  async startAll(): Promise<Omit<Line, 'stop'>> {
    const credential = this.#createKey()
    this.#env = { ...this.#env, BENCH_SECRET_HEX: credential.secret.toString('hex') }
    const service = await this.#nginx('service', 'load', (port) => upstreamHttp(port))
    const upstream = `http://127.0.0.1:${service.port}`
    const plain = await this.#nginx('plain', 'measured', (port) => proxyHttp(port, service.port))
    const open = await this.#gateway('open', {
      upstream,
      routes: [{ path: '/', mode: 'off' }],
      // Otherwise it logs every request that it passes on unverified.
      log: { level: 'error' },
    })
    const memory = await this.#gateway('memory', { upstream, nonces: 'memory', routes: [{ path: '/' }] })
    const sqlite = await this.#gateway('sqlite', { upstream, nonces: 'sqlite', routes: [{ path: '/' }] })
    const asked = await this.#gateway('asked', {
      upstream,
      nonces: 'memory',
      routes: [{ path: '/', forwardAuth: { body: 'unchecked' } }],
      forwardAuth: { trustedHops: ['127.0.0.1'], secretEnv: 'BENCH_HOP_SECRET', fields: 'x-original' },
    })
    const written = await this.#node('hand-written', (port) => [
      fileURLToPath(new URL('hand-written-verifier.mjs', import.meta.url)),
      String(port),
      credential.id,
    ])
    const asking = (name: string, verifier: Running, path: string) =>
      this.#nginx(name, 'measured', (port) =>
        authHttp({ port, upstreamPort: service.port, verifierPort: verifier.port, path, hopSecret }),
      )
    const toGateway = await asking('to-gateway', asked, '/.countersign/auth')
    const toWritten = await asking('to-hand-written', written, '/')
    const entrance = (
      name: string,
      verifies: boolean,
      ...programs: readonly [Running, ...Running[]]
    ): Entrance => ({
      name,
      port: programs[0].port,
      verifies,
      programs,
    })
    return {
      credential,
      entrances: [
        entrance('nginx, plain proxy', false, plain),
        entrance(openGatewayName, false, open),
        entrance(gatewayName, true, memory),
        entrance('the same, nonces in SQLite', true, sqlite),
        entrance('nginx + auth_request to the gateway', true, toGateway, asked),
        entrance(handWrittenName, true, toWritten, written),
      ],
    }
  }

  /** As an operator makes one. The text of the secret is the secret. */
  #createKey(): BenchCredential {
    const text = execFileSync(
      process.execPath,
      [command, 'keys', 'create', 'billing-service', '--data-dir', this.#dataDir, '--json'],
      { encoding: 'utf8' },
    )
    const made: unknown = JSON.parse(text)
    if (typeof made === 'object' && made !== null && 'secret' in made && typeof made.secret === 'string') {
      return { id: 'billing-service', secret: Buffer.from(made.secret) }
    }
    throw new Error('keys create gave no secret')
  }

  async #nginx(name: string, side: 'measured' | 'load', http: (port: number) => string): Promise<Running> {
    if (nginxProgram === undefined) throw new Error('nginx is not installed')
    const port = await freePort()
    return this.#start(name, side, nginxProgram, nginxArguments(this.#directory, name, http(port)), port)
  }

  async #gateway(name: string, config: Readonly<Record<string, unknown>>): Promise<Running> {
    return this.#node(name, (port) => {
      const path = join(this.#directory, `${name}.yaml`)
      // JSON is YAML.
      writeFileSync(
        path,
        JSON.stringify({ ...config, listen: { host: '127.0.0.1', port }, dataDir: this.#dataDir }),
      )
      return [command, 'serve', '--config', path]
    })
  }

  async #node(name: string, args: (port: number) => readonly string[]): Promise<Running> {
    const port = await freePort()
    return this.#start(name, 'measured', process.execPath, args(port), port)
  }

  async #start(
    name: string,
    side: 'measured' | 'load',
    program: string,
    args: readonly string[],
    port: number,
  ): Promise<Running> {
    const running = await start({
      side,
      program,
      args,
      port,
      logPath: join(this.#directory, `${name}.log`),
      env: this.#env,
    })
    this.#started.push(running)
    return running
  }
}
