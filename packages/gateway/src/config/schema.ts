import { createVerifier, type Policy, rfc9421, trustedHops } from 'countersign'
import { z } from 'zod'
import { relationProblems, type SchemaProblem } from './relations.ts'
import { schemeEntry } from './scheme-entry.ts'
import type { SchemeEntry } from './schemes.ts'

/** How a route treats what fails verification. Everything but `enforce` lets it pass and is loud in the log. */
export type RouteMode = 'enforce' | 'warn' | 'observe' | 'off'

/**
 * What the forward-auth endpoint makes of content that the proxy does not pass along: `refused`, also where the proxy does not tell
 * whether there is any; `unchecked`: taken for what its covered digest says; `absent`: taken for none where the proxy does not tell.
 */
export type UnseenContent = 'refused' | 'unchecked' | 'absent'

/** Policy fields of a configuration, as in the library's `Policy`. */
export interface PolicyConfig {
  readonly maxAgeSeconds?: number | undefined
  readonly skewSeconds?: number | undefined
  readonly covers?: readonly string[] | Readonly<Record<string, readonly string[]>> | undefined
  readonly digest?: 'required' | 'if-covered' | undefined
  readonly nonce?: 'required' | 'if-present' | 'ignored' | undefined
  readonly signatures?: 'any' | 'all' | { readonly label: string } | { readonly tag: string } | undefined
  readonly algorithms?: readonly string[] | undefined
}

/** One route of a configuration. */
export interface RouteConfig {
  /** Name in logs. Default: host and path. */
  readonly name?: string | undefined
  /** Path prefix, matched on whole segments. */
  readonly path: string
  readonly host?: string | undefined
  readonly methods?: readonly string[] | undefined
  /** An origin, or `echo`. Default: that of the configuration. */
  readonly upstream?: string | undefined
  readonly schemes?: readonly SchemeEntry[] | undefined
  readonly rights?: readonly string[] | undefined
  readonly mode: RouteMode
  readonly body: 'spool' | 'stream'
  readonly limitBytes?: number | undefined
  readonly targets?: 'strict' | 'as-sent' | undefined
  readonly policy?: PolicyConfig | undefined
  readonly forwardAuth?: { readonly body: UnseenContent } | undefined
}

/** The forward-auth endpoint of a configuration. */
export interface ForwardAuthConfig {
  readonly path: string
  /** Networks of the proxies that may ask, in CIDR notation. */
  readonly trustedHops: readonly string[]
  /** Environment variable with the secret that the proxy sends in `X-Countersign-Hop`. Default: none is asked for. */
  readonly secretEnv?: string | undefined
  /** Which fields carry the original request: `X-Original-*` (nginx) or `X-Forwarded-*` (Traefik, Caddy). */
  readonly fields: 'x-original' | 'x-forwarded'
}

/** A whole configuration, checked, with its defaults filled in. */
export interface GatewayConfig {
  readonly listen: { readonly host: string; readonly port: number }
  /** Scheme of the URLs that clients sign. */
  readonly publicScheme: 'http' | 'https'
  readonly trustedProxies: readonly string[]
  readonly dataDir: string
  readonly nonces: 'memory' | 'sqlite'
  readonly upstream?: string | undefined
  readonly schemes: readonly SchemeEntry[]
  readonly targets: 'strict' | 'as-sent'
  readonly policy: PolicyConfig
  readonly routes: readonly RouteConfig[]
  readonly forwardAuth?: ForwardAuthConfig | undefined
  readonly body: {
    readonly limitBytes: number
    readonly memoryBytes: number
    readonly spoolDir?: string | undefined
  }
  readonly limits: {
    readonly fields: number
    readonly fieldBytes: number
    readonly targetBytes: number
    readonly requestsPerConnection: number
    readonly inFlight: number
    readonly upstreamConnections: number
  }
  readonly timeouts: {
    readonly headersSeconds: number
    readonly requestSeconds: number
    readonly keepAliveSeconds: number
    readonly upstreamConnectSeconds: number
    readonly upstreamResponseSeconds: number
    readonly drainSeconds: number
  }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

const whole = (least: number, most: number) => z.int().min(least).max(most)
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const name = z.string().min(1).max(200)
const names = z.array(name).min(1)

const network = z.string().refine(isNetwork, 'expected an address, or a network such as 10.0.0.0/8')
const upstream = z
  .string()
  .refine(isUpstream, 'expected "echo", or http(s)://host:port without path, query or user')
const path = z
  .string()
  .regex(
    /^\/(?!\/)[!$&'()*+,\-./0-9:=@A-Z_a-z~%]*$/,
    'expected a path that starts with one slash, percent-encoded, without query',
  )
  .max(1024)
  .refine((text) => !text.startsWith('/.countersign'), 'paths below /.countersign belong to the gateway')

const components = z.array(
  name.refine(
    (text) => isPolicy({ covers: [text] }),
    'expected a component such as @method, or a field name',
  ),
)

const policy = z.strictObject({
  maxAgeSeconds: whole(0, 86_400).optional(),
  skewSeconds: whole(0, 3600).optional(),
  covers: z.union([components, z.record(z.string().regex(/^\*$|^[A-Z]+$/), components)]).optional(),
  digest: z.enum(['required', 'if-covered']).optional(),
  nonce: z.enum(['required', 'if-present', 'ignored']).optional(),
  signatures: z
    .union([z.enum(['any', 'all']), z.strictObject({ label: name }), z.strictObject({ tag: name })])
    .optional(),
  algorithms: z
    .array(name.refine((text) => isPolicy({ algorithms: [text] }), 'expected the name of an algorithm'))
    .min(1)
    .optional(),
})

const schemes = z.array(schemeEntry).min(1)

const route = z.strictObject({
  name: name.optional(),
  path,
  host: z
    .string()
    .regex(
      /^(?:\[[0-9a-f:.]+\]|[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?)(?::[1-9][0-9]{0,4})?$/,
      'expected a host in lower case, with a port only where it is not the default',
    )
    .optional(),
  methods: z.array(z.string().regex(token, 'expected a method')).min(1).optional(),
  upstream: upstream.optional(),
  schemes: schemes.optional(),
  rights: z.union([name.transform((right) => [right]), names]).optional(),
  mode: z.enum(['enforce', 'warn', 'observe', 'off']).default('enforce'),
  body: z.enum(['spool', 'stream']).default('spool'),
  limitBytes: whole(0, 1_099_511_627_776).optional(),
  targets: z.enum(['strict', 'as-sent']).optional(),
  policy: policy.optional(),
  forwardAuth: z
    .strictObject({ body: z.enum(['refused', 'unchecked', 'absent']).default('refused') })
    .optional(),
})

const forwardAuth = z.strictObject({
  path: z
    .string()
    .regex(/^\/\.countersign\/[a-z0-9-]+$/, 'expected a path below /.countersign/')
    .refine((text) => text !== '/.countersign/health', 'this is the path of the health answer')
    .default('/.countersign/auth'),
  trustedHops: z.array(network).min(1),
  secretEnv: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable')
    .optional(),
  fields: z.enum(['x-original', 'x-forwarded']),
})

const gateway = z.strictObject({
  listen: z
    .strictObject({ host: name.default('127.0.0.1'), port: whole(0, 65_535).default(8080) })
    .prefault({}),
  publicScheme: z.enum(['http', 'https']).default('http'),
  trustedProxies: z.array(network).default([]),
  dataDir: name.default('./data'),
  nonces: z.enum(['memory', 'sqlite']).default('memory'),
  upstream: upstream.optional(),
  schemes: schemes.default(['rfc9421']),
  targets: z.enum(['strict', 'as-sent']).default('strict'),
  policy: policy.prefault({}),
  routes: z.array(route).min(1, 'expected at least one route: what no route names is denied'),
  forwardAuth: forwardAuth.optional(),
  body: z
    .strictObject({
      limitBytes: whole(0, 1_099_511_627_776).default(67_108_864),
      memoryBytes: whole(0, 67_108_864).default(1_048_576),
      spoolDir: name.optional(),
    })
    .prefault({}),
  limits: z
    .strictObject({
      fields: whole(8, 256).default(128),
      fieldBytes: whole(1024, 32_768).default(16_384),
      targetBytes: whole(64, 16_384).default(8192),
      requestsPerConnection: whole(1, 1_000_000).default(1000),
      inFlight: whole(1, 100_000).default(1000),
      upstreamConnections: whole(1, 10_000).default(128),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      headersSeconds: whole(1, 300).default(10),
      requestSeconds: whole(1, 86_400).default(30),
      keepAliveSeconds: whole(1, 3600).default(5),
      upstreamConnectSeconds: whole(1, 300).default(2),
      upstreamResponseSeconds: whole(1, 3600).default(30),
      drainSeconds: whole(0, 3600).default(10),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
})

/**
 * Checks a value and fills in the defaults; gives every problem at once where there are any. The environment variables that it
 * names are looked for in `env`, where that is given.
 */
export function checkConfig(
  value: unknown,
  env?: Readonly<Record<string, string | undefined>>,
): GatewayConfig | readonly SchemaProblem[] {
  const parsed = gateway.safeParse(value, { reportInput: true })
  const related = relationProblems(value, env)
  if (parsed.success) return related.length === 0 ? parsed.data : related
  return [...parsed.error.issues.flatMap(problemsOf), ...related]
}

function problemsOf(issue: z.core.$ZodIssue): readonly SchemaProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not a known setting' }))
  }
  if (issue.code === 'invalid_union') {
    // The branch that came furthest says most: a list with one bad member, not "expected a string".
    const branches = issue.errors.map((errors) =>
      errors.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] })),
    )
    const deepest = branches.sort((a, b) => depth(b) - depth(a))[0]
    if (deepest !== undefined && depth(deepest) > issue.path.length) return deepest
  }
  if (issue.code === 'invalid_key') {
    return [{ path: issue.path, message: issue.issues[0]?.message ?? issue.message }]
  }
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.path.length > 0) {
    return [{ path: issue.path, message: `is missing (expected ${issue.expected})` }]
  }
  return [{ path: issue.path, message: issue.message }]
}

function depth(problems: readonly SchemaProblem[]): number {
  return Math.max(0, ...problems.map((problem) => problem.path.length))
}

/** Whether the library takes a policy; what it knows of is not repeated here. */
function isPolicy(policy: Policy): boolean {
  try {
    createVerifier({ schemes: [rfc9421()], credentials: () => undefined, policy })
    return true
  } catch {
    return false
  }
}

function isUpstream(text: string): boolean {
  if (text === 'echo') return true
  if (!/^https?:\/\/[^/?#@\\]+\/?$/.test(text)) return false
  return URL.canParse(text)
}

function isNetwork(text: string): boolean {
  // The gateway listens on TCP; a peer without an address is one that is gone.
  if (text === 'unix') return false
  try {
    trustedHops([text])
    return true
  } catch {
    return false
  }
}
