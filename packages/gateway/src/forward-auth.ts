import { createHash, timingSafeEqual } from 'node:crypto'
import {
  type BodySource,
  CountersignError,
  forwardedOrigin,
  type RequestMessage,
  type TrustedHops,
  trustedHops,
  wireRequest,
} from 'countersign'
import { send, sendAnswer, sendRefusal } from './answer.ts'
import type { AnswerCode } from './answers.ts'
import { isHopSecret } from './config/relations.ts'
import type { ForwardAuthConfig } from './config/schema.ts'
import { type Exchange, sendContinue } from './exchange.ts'
import { identityFields } from './identity.ts'
import { logAnswer, logVerdict } from './record.ts'
import { findRoute } from './routes.ts'
import type { Route, Site } from './site.ts'
import { Spool } from './spool.ts'

/** Name of the field in which a proxy shows the secret that it shares with the gateway. */
const hopSecretName = 'x-countersign-hop'

/** Answers a proxy that asks whether it may pass a request on. */
export interface ForwardAuth {
  readonly path: string
  judge(exchange: Exchange, site: Site): Promise<void>
}

/** Fields that carry the original request, by the family that the configuration names; the other family is then a contradiction. */
const families = {
  'x-original': {
    method: 'x-original-method',
    target: 'x-original-uri',
    length: 'x-original-content-length',
    coding: 'x-original-transfer-encoding',
    protocol: 'x-original-protocol',
    foreign: ['x-forwarded-method', 'x-forwarded-uri'],
  },
  'x-forwarded': {
    method: 'x-forwarded-method',
    target: 'x-forwarded-uri',
    length: 'x-forwarded-content-length',
    coding: 'x-forwarded-transfer-encoding',
    // Traefik and Caddy set none of these by themselves, and a client may: it is not believed that there is no content.
    protocol: undefined,
    foreign: ['x-original-method', 'x-original-uri', 'x-original-url'],
  },
} as const

/**
 * Makes the forward-auth endpoint.
 * @throws CountersignError `config-invalid` where the environment lacks the hop secret that the configuration names.
 */
export function forwardAuth(
  config: ForwardAuthConfig,
  env: Readonly<Record<string, string | undefined>>,
): ForwardAuth {
  const trusts = trustedHops(config.trustedHops)
  const secret = config.secretEnv === undefined ? undefined : env[config.secretEnv]
  if (config.secretEnv !== undefined && !isHopSecret(secret)) {
    throw new CountersignError(
      'config-invalid',
      `forwardAuth.secretEnv: expected at least 16 characters in ${config.secretEnv}`,
    )
  }
  return {
    path: config.path,
    async judge(exchange, site) {
      if (!isHop(exchange, trusts, secret)) return turnAway(exchange, site, 'hop-untrusted', undefined)
      const asked = originalRequest(exchange, config, site)
      if (typeof asked === 'string') return turnAway(exchange, site, 'original-request-unknown', asked)
      await judgeOriginal(exchange, asked, site)
    },
  }
}

async function judgeOriginal(exchange: Exchange, message: RequestMessage, site: Site): Promise<void> {
  const routing = findRoute(site.routes, message)
  if (routing.kind === 'denied') return turnAway(exchange, site, 'route-denied', undefined)
  if (routing.kind === 'ambiguous')
    return turnAway(exchange, site, 'original-request-unknown', routing.detail)
  const { route } = routing
  const body = contentOf(exchange, message, route, site)
  if (body === 'unseen') return turnAway(exchange, site, 'content-unseen', undefined, route)
  try {
    const verdict = await route.verifier.verify({ ...message, body }, { rights: route.rights })
    logVerdict(site, exchange, route, verdict)
    if (verdict.ok) return send(exchange, 204, [...identityFields(verdict), 'Cache-Control', 'no-store'], '')
    if (!verdict.enforced) return send(exchange, 204, ['Cache-Control', 'no-store'], '')
    // nginx takes 401 and 403 as refusals and anything else as a failure of its own, which it answers with 500.
    const status = verdict.status === 403 || verdict.status === 503 ? verdict.status : 401
    sendRefusal(exchange, { ...verdict, status })
  } finally {
    exchange.body?.dispose()
  }
}

/** Tells whether a trusted proxy asks: by its address and, where one is agreed on, by its secret. */
function isHop({ request }: Exchange, trusts: TrustedHops, secret: string | undefined): boolean {
  if (!trusts(request.socket.remoteAddress)) return false
  if (secret === undefined) return true
  const given = valuesOf(request.rawHeaders, hopSecretName)
  return given.length === 1 && timingSafeEqual(sha256(given[0] ?? ''), sha256(secret))
}

/** Puts the original request together from what the proxy says of it. Gives a text where there is any doubt. */
function originalRequest(
  { request }: Exchange,
  config: ForwardAuthConfig,
  site: Site,
): RequestMessage | string {
  const { rawHeaders } = request
  const family = families[config.fields]
  const methods = valuesOf(rawHeaders, family.method)
  const targets = valuesOf(rawHeaders, family.target)
  const [method] = methods
  const [target] = targets
  if (method === undefined || target === undefined) return `${family.method} or ${family.target} is missing`
  if (methods.length > 1 || targets.length > 1) return 'the original request is named twice'
  for (const foreign of family.foreign)
    if (valuesOf(rawHeaders, foreign).length > 0) return `${foreign} contradicts`
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) return 'the original method is not one token'
  if (!target.startsWith('/') || target.length > site.config.limits.targetBytes)
    return 'the original target is not a path'
  // A comma is legal in a path; behind one, the start of a second target is not.
  if (/,\s*(?:\/|https?:)/i.test(target)) return 'the original target is a list'
  // A proxy that does not set these passes on what its client says of them: it has to say both, for every request.
  for (const name of ['x-forwarded-host', 'x-forwarded-proto'])
    if (valuesOf(rawHeaders, name).length !== 1) return `${name} is missing or given twice`
  const origin = forwardedOrigin(rawHeaders)
  if (typeof origin === 'string') return origin
  const { authority, scheme } = origin
  if (authority === undefined || scheme === undefined) return 'host and scheme are not known'
  const message = wireRequest({ method, target, scheme, authority, fields: rawHeaders, body: undefined })
  return message.problem ?? message
}

/**
 * Gives the content of the original request: what the proxy passed along, none where it has none or the route takes it for none,
 * or `unseen`. Where the route says so, content that was not passed along counts as what its covered digest says.
 */
function contentOf(
  exchange: Exchange,
  message: RequestMessage,
  route: Route,
  site: Site,
): BodySource | undefined | 'unseen' {
  const { config } = site
  if (exchange.framing.hasContent) {
    const spool = new Spool({
      stream: exchange.request,
      declaredBytes: exchange.framing.declaredBytes,
      limitBytes: route.limitBytes,
      memoryBytes: config.body.memoryBytes,
      directory: config.body.spoolDir,
      beforeRead: () => sendContinue(exchange),
    })
    exchange.body = spool
    return spool
  }
  const told = contentTold(message.fields, config.forwardAuth?.fields)
  if (told === 'none' || (told === 'unknown' && route.unseenContent === 'absent')) return undefined
  return route.unseenContent === 'unchecked' ? uncheckedContent(message) : 'unseen'
}

/**
 * What the proxy tells of the content of the original request. No method says that there is none (RFC 9110 section 9.3.1), and
 * only a request of HTTP/1 without length and transfer coding has none for sure (RFC 9112 section 6.3): over HTTP/2 both may be
 * missing. What the question itself says of its length is about the question.
 */
function contentTold(
  fields: readonly string[],
  fieldFamily: ForwardAuthConfig['fields'] = 'x-original',
): 'none' | 'some' | 'unknown' {
  const family = families[fieldFamily]
  const said = (name: string): readonly string[] => valuesOf(fields, name).filter((value) => value !== '')
  const lengths = said(family.length)
  if (said(family.coding).length > 0 || lengths.some((length) => length !== '0')) return 'some'
  if (family.protocol !== undefined && lengths.length <= 1) {
    const [protocol = '', ...more] = valuesOf(fields, family.protocol)
    if (more.length === 0 && (/^HTTP\/1\.[01]$/.test(protocol) || (protocol !== '' && lengths.length === 1)))
      return 'none'
  }
  const showsContent = said('content-type').length > 0 || said('content-digest').length > 0
  return showsContent ? 'some' : 'unknown'
}

/** Content that only its sender has seen: its digests are taken from the covered field, and it cannot be had as a whole. */
function uncheckedContent(message: RequestMessage): BodySource {
  const claimed = valuesOf(message.fields, 'content-digest').join(', ')
  return {
    kind: 'body-source',
    bytes: () => ({ kind: 'body-problem', problem: 'incomplete' }),
    digests: (hashNames) =>
      hashNames.map((name) => {
        const label = name.replace('sha', 'sha-')
        return new RegExp(`(?:^|,)[ \\t]*${label}=:([A-Za-z0-9+/=]+):`).exec(claimed)?.[1] ?? ''
      }),
  }
}

function valuesOf(fields: readonly string[], lowerName: string): readonly string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if ((fields[i] ?? '').toLowerCase() === lowerName) values.push((fields[i + 1] ?? '').trim())
  }
  return values
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'latin1').digest()
}

function turnAway(
  exchange: Exchange,
  site: Site,
  code: AnswerCode,
  detail: string | undefined,
  route?: Route,
): void {
  logAnswer(site, exchange, code, detail, route)
  sendAnswer(exchange, code)
}
