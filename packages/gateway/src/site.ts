import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Clock,
  type Credential,
  type CredentialStore,
  createVerifier,
  type NonceStore,
  type Policy,
  type TrustedHops,
  trustedHops,
  type Verdict,
  type Verifier,
} from 'countersign'
import type { GatewayConfig, PolicyConfig, RouteConfig, UnseenContent } from './config/schema.ts'
import { compatibleForms, schemeFrom } from './config/schemes.ts'
import type { GatewayLog } from './log.ts'
import { type RoutePattern, RouteTable } from './routes.ts'
import { Upstream } from './upstream.ts'

/** Told a credential that was looked up, and the scheme it is for. */
export type LookupReport = (credential: Credential, scheme: string) => void

/** A route with everything at hand that it takes to serve a request. */
export interface Route extends RoutePattern {
  readonly name: string
  readonly upstream: Upstream
  readonly rights: readonly string[]
  readonly mode: RouteConfig['mode']
  readonly streams: boolean
  readonly limitBytes: number
  /** What forward-auth makes of content that the proxy does not pass along. */
  readonly unseenContent: UnseenContent
  readonly verifier: Verifier
  /** Does work in which the verifier, on a route that streams, reports each credential it looks up, and the scheme it is for. */
  reportingLookups<T>(report: LookupReport, work: () => T): T
}

/** What the configuration and the stores of a gateway make together. */
export interface Site {
  readonly config: GatewayConfig
  readonly routes: RouteTable<Route>
  readonly trusts: TrustedHops
  readonly log: GatewayLog
  readonly onVerdict: ((verdict: Verdict, route: string) => void) | undefined
  close(): Promise<void>
}

/** What a site is made from. */
export interface SiteOptions {
  readonly config: GatewayConfig
  readonly credentials: CredentialStore
  readonly nonces: NonceStore
  readonly log: GatewayLog
  /** Origin that `echo` stands for. */
  readonly echoOrigin: string | undefined
  /** Default: the clock of the machine. */
  readonly clock?: Clock | undefined
  /** Told every verdict and the name of its route. */
  readonly onVerdict?: ((verdict: Verdict, route: string) => void) | undefined
}

/**
 * Makes a site; says in the log what of its configuration weakens it.
 * @throws CountersignError `config-invalid` where a policy cannot work.
 */
export function siteOf(options: SiteOptions): Site {
  const { config, log } = options
  const upstreams = new Map<string, Upstream>()
  const upstreamOf = (name: string): Upstream => {
    const origin = name === 'echo' ? (options.echoOrigin ?? '') : new URL(name).origin
    let upstream = upstreams.get(origin)
    if (upstream === undefined) {
      upstream = new Upstream(origin, {
        connections: config.limits.upstreamConnections,
        connectTimeoutMs: config.timeouts.upstreamConnectSeconds * 1000,
        responseTimeoutMs: config.timeouts.upstreamResponseSeconds * 1000,
      })
      upstreams.set(origin, upstream)
    }
    return upstream
  }
  const routes = config.routes.map((route) =>
    routeOf(route, options, upstreamOf(route.upstream ?? config.upstream ?? '')),
  )
  for (const [i, route] of routes.entries()) warnOf(route, config.routes[i], config, log)
  return {
    config,
    routes: new RouteTable(routes),
    trusts: trustedHops(config.trustedProxies),
    log,
    onVerdict: options.onVerdict,
    async close() {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()))
    },
  }
}

function routeOf(route: RouteConfig, options: SiteOptions, upstream: Upstream): Route {
  const { config, credentials, nonces, clock } = options
  const limitBytes = route.limitBytes ?? config.body.limitBytes
  const policy: Policy = {
    ...policyOf(config.policy),
    ...policyOf(route.policy),
    mode: route.mode,
    limitBytes,
  }
  const streams = route.body === 'stream'
  // One verifier serves many requests at once; whose lookup it is shows in the context of the call.
  const reports = new AsyncLocalStorage<LookupReport>()
  const verifier = createVerifier({
    schemes: (route.schemes ?? config.schemes).map(schemeFrom),
    credentials: streams ? reporting(credentials, reports) : credentials,
    nonces,
    policy,
    ...(clock === undefined ? {} : { clock }),
  })
  return {
    name: route.name ?? `${route.host ?? ''}${route.path}`,
    path: route.path,
    host: route.host,
    methods: route.methods,
    asSent: (route.targets ?? config.targets) === 'as-sent',
    upstream,
    rights: route.rights ?? [],
    mode: route.mode,
    streams,
    limitBytes,
    unseenContent: route.forwardAuth?.body ?? 'refused',
    verifier,
    reportingLookups: (report, work) => reports.run(report, work),
  }
}

function reporting(store: CredentialStore, reports: AsyncLocalStorage<LookupReport>): CredentialStore {
  return {
    find(keyId, scheme) {
      const report = reports.getStore()
      const told = (credential: Credential | undefined): Credential | undefined => {
        if (credential !== undefined) report?.(credential, scheme)
        return credential
      }
      const found = store.find(keyId, scheme)
      return found instanceof Promise ? found.then(told) : told(found)
    },
  }
}

/** Brings a policy from the configuration into the library's form, where what is absent is not there at all. */
function policyOf(policy: PolicyConfig | undefined): Policy {
  const { maxAgeSeconds, skewSeconds, covers, digest, nonce, signatures, algorithms } = policy ?? {}
  return {
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
    ...(skewSeconds === undefined ? {} : { skewSeconds }),
    ...(covers === undefined ? {} : { covers }),
    ...(digest === undefined ? {} : { digest }),
    ...(nonce === undefined ? {} : { nonce }),
    ...(signatures === undefined ? {} : { signatures }),
    ...(algorithms === undefined ? {} : { algorithms }),
  }
}

function warnOf(route: Route, given: RouteConfig | undefined, config: GatewayConfig, log: GatewayLog): void {
  const facts = { route: route.name }
  if (route.mode !== 'enforce') {
    log.warn(
      { ...facts, mode: route.mode },
      'THIS ROUTE IS OPEN: what fails verification is passed on, without identity',
    )
  }
  if (route.asSent) log.warn(facts, 'targets with more than one reading are passed on as sent')
  if (route.unseenContent === 'unchecked')
    log.warn(facts, 'forward-auth passes requests whose content nobody has compared')
  if (route.unseenContent === 'absent')
    log.warn(facts, 'forward-auth passes requests with unsigned content where the proxy does not tell of it')
  const covers = given?.policy?.covers ?? config.policy.covers
  if (covers !== undefined) log.warn(facts, 'the default minimum coverage is replaced')
  for (const entry of given?.schemes ?? config.schemes) {
    const name = typeof entry === 'string' ? entry : entry.name
    const forms = compatibleForms(entry)
    if (forms.length > 0) {
      log.warn(
        { ...facts, scheme: name, compatible: forms.join(', ') },
        'forms of old clients are admitted that the scheme by default refuses',
      )
    }
    const { traits } = schemeFrom(entry)
    if (!traits.time && !traits.nonce) {
      log.warn(
        { ...facts, scheme: name },
        'the scheme has no time and no nonce: its requests can be replayed for ever',
      )
    }
  }
}
