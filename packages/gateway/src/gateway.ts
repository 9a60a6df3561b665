import { dirname, resolve } from 'node:path'
import {
  type Clock,
  type CredentialStore,
  cachedCredentials,
  memoryNonces,
  type NonceStore,
  type Verdict,
} from 'countersign'
import { sqlNonces } from 'countersign/stores/sql'
import { sendAnswer } from './answer.ts'
import { type ChangeWatch, watchChanges } from './changes.ts'
import { readConfigFile } from './config/read.ts'
import type { GatewayConfig } from './config/schema.ts'
import { openCredentialDatabase } from './database.ts'
import { demoConfig, demoSecret, demoText } from './demo.ts'
import { type Echo, startEcho } from './echo.ts'
import type { Exchange } from './exchange.ts'
import { type ForwardAuth, forwardAuth } from './forward-auth.ts'
import { type Address, Front } from './front.ts'
import { sendHealth } from './health.ts'
import { type GatewayLog, gatewayLog } from './log.ts'
import { type NonceWatch, watchNonces } from './nonce-watch.ts'
import { proxy } from './proxy.ts'
import { limitProblem, receive } from './receive.ts'
import { logAnswer } from './record.ts'
import { type Site, siteOf } from './site.ts'

/** What `startGateway` takes. */
export interface GatewayOptions {
  /** Path of the YAML configuration. Needed unless `demo` is set. */
  readonly configPath?: string
  /** Serve the built-in echo service with a demo credential, and print how to call it. Default false. */
  readonly demo?: boolean
  /** Overrides `dataDir` of the configuration. Default `./data`. */
  readonly dataDir?: string
  /** Overrides `listen` of the configuration. */
  readonly listen?: { readonly host?: string; readonly port?: number }
  /** Default: JSON lines on standard error, at the level of the configuration. */
  readonly log?: GatewayLog
  /** Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where the demo prints its lines. Default: standard output. */
  readonly print?: (text: string) => void
}

/** A running gateway. */
export interface RunningGateway {
  readonly address: Address
  /** Takes no more requests, lets those in flight finish, then closes everything. */
  close(): Promise<void>
}

/** What a gateway runs on. */
export interface GatewayParts {
  readonly config: GatewayConfig
  readonly credentials: CredentialStore
  readonly nonces: NonceStore
  readonly log: GatewayLog
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: the clock of the machine. */
  readonly clock?: Clock
  /** Told every verdict and the name of its route. */
  readonly onVerdict?: (verdict: Verdict, route: string) => void
  /** Whether the stores can be used, for the health answer. Default: always. */
  readonly isReady?: () => boolean
}

/**
 * Starts a gateway: opens (or makes) its data directory, database and key, reads its configuration, listens.
 * @throws CountersignError that says what to correct: `config-invalid`, `store-failed`, `key-invalid`.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const env = options.env ?? process.env
  const config = configOf(options, env)
  const log = options.log ?? gatewayLog(config.log.level)
  const database = await openCredentialDatabase({ dataDir: config.dataDir, env, busyTimeoutMs: 250 })
  let watch: ChangeWatch | undefined
  let nonceWatch: NonceWatch | undefined
  let gateway: RunningGateway | undefined
  const close = async (): Promise<void> => {
    watch?.stop()
    nonceWatch?.stop()
    try {
      await gateway?.close()
    } finally {
      await database.close()
    }
  }
  try {
    const credentials = cachedCredentials(database.credentials, { ttlSeconds: 60 })
    const watching = watchChanges(database, () => credentials.clear(), log)
    watch = watching
    const store = config.nonces === 'sqlite' ? sqlNonces({ db: database.db }) : memoryNonces()
    const recording = watchNonces(store, log)
    nonceWatch = recording
    gateway = await runGateway({
      config,
      credentials,
      nonces: recording.nonces,
      log,
      env,
      isReady: () => watching.isReadable && recording.isWritable,
    })
    const { address } = gateway
    const { host, port } = address
    log.info({ host, port, database: database.path, nonces: config.nonces }, 'listening')
    if (options.demo === true) {
      const origin = `http://${host === '127.0.0.1' ? 'localhost' : host}:${port}`
      const secretHex = await demoSecret(database.credentials)
      const print = options.print ?? ((text: string) => void process.stdout.write(text))
      print(demoText(secretHex === undefined ? undefined : { origin, secretHex }, origin))
    }
    return {
      address,
      async close() {
        await close()
        log.info({}, 'stopped')
      },
    }
  } catch (failure) {
    // What was opened before the failure would keep the process alive. Why it failed is what counts, not how closing went.
    await close().catch(() => undefined)
    throw failure
  }
}

/**
 * Starts a gateway on stores of one's own.
 * @throws CountersignError `config-invalid` where the configuration cannot work or the address cannot be had.
 */
export async function runGateway(parts: GatewayParts): Promise<RunningGateway> {
  const { config, log } = parts
  const usesEcho = config.upstream === 'echo' || config.routes.some((route) => route.upstream === 'echo')
  const echo: Echo | undefined = usesEcho ? await startEcho() : undefined
  let site: Site | undefined
  try {
    site = siteOf({ ...parts, echoOrigin: echo?.origin })
    const auth =
      config.forwardAuth === undefined ? undefined : forwardAuth(config.forwardAuth, parts.env ?? process.env)
    const served = { site, auth, isReady: parts.isReady ?? (() => true) }
    const front: Front = new Front({
      config,
      log,
      handle: (exchange) => serve(exchange, served, front),
      refuse: (exchange, code) => sendAnswer(exchange, code),
    })
    const address = await front.listen()
    const { close } = site
    return {
      address,
      async close() {
        await front.close()
        await close()
        await echo?.close()
      },
    }
  } catch (failure) {
    await site?.close()
    await echo?.close()
    throw failure
  }
}

interface Served {
  readonly site: Site
  readonly auth: ForwardAuth | undefined
  readonly isReady: () => boolean
}

/** Answers one request, whatever it is and whatever happens. */
async function serve(exchange: Exchange, { site, auth, isReady }: Served, front: Front): Promise<void> {
  try {
    const problem = limitProblem(exchange, site)
    if (problem !== undefined) {
      logAnswer(site, exchange, problem.code, problem.detail)
      return sendAnswer(exchange, problem.code)
    }
    const target = exchange.request.url ?? ''
    if (target.startsWith('/.countersign')) {
      if (auth !== undefined && isAt(target, auth.path)) return await auth.judge(exchange, site)
      return sendHealth(exchange, !front.draining && isReady())
    }
    await proxy(exchange, receive(exchange, site), site)
  } catch (failure) {
    site.log.error(
      { error: failure instanceof Error ? (failure.stack ?? failure.name) : 'unknown' },
      'failed',
    )
    sendAnswer(exchange, 'failed')
  }
}

/** Whether the path of a target is this one: a proxy may put the query of the request behind the path that it was told to ask. */
function isAt(target: string, path: string): boolean {
  return target.startsWith(path) && (target.length === path.length || target[path.length] === '?')
}

function configOf(options: GatewayOptions, env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const { configPath, listen = {} } = options
  const read =
    configPath === undefined ? demoConfig({ host: '127.0.0.1', port: 8080 }) : readConfigFile(configPath, env)
  // A relative data directory in a file is meant from where the file is.
  const base = configPath === undefined ? '.' : dirname(configPath)
  return {
    ...read,
    listen: { host: listen.host ?? read.listen.host, port: listen.port ?? read.listen.port },
    dataDir: options.dataDir ?? resolve(base, read.dataDir),
  }
}
