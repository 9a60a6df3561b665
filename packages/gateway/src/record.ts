import type { Verdict } from 'countersign'
import { type AnswerCode, answers } from './answers.ts'
import type { Exchange } from './exchange.ts'
import { type LogFacts, plainText } from './log.ts'
import type { Route, Site } from './site.ts'

/** Writes a verdict to the log and tells whoever listens. Accepted requests are at level `debug`; mode `off` logs none. */
export function logVerdict(site: Site, exchange: Exchange, route: Route | undefined, verdict: Verdict): void {
  const name = route?.name ?? ''
  if (site.onVerdict !== undefined) {
    try {
      site.onVerdict(verdict, name)
    } catch {
      // A listener that fails must not change who gets in.
    }
  }
  // Nothing was judged, of any request; the start has said so.
  if (verdict.mode === 'off') return
  if (verdict.ok) {
    if (site.log.isLevelEnabled?.('debug') === false) return
    const facts = {
      ...factsOf(exchange),
      route: name,
      scheme: verdict.scheme,
      keyId: plainText(verdict.credential.id),
      warnings: verdict.warnings.length === 0 ? undefined : verdict.warnings.join(', '),
    }
    site.log.debug(facts, 'accepted')
    return
  }
  const facts: LogFacts = {
    ...factsOf(exchange),
    route: name,
    reason: verdict.reason,
    detail: plainText(verdict.detail),
    scheme: verdict.scheme,
    keyId: verdict.claim === undefined ? undefined : plainText(verdict.claim.keyId),
  }
  if (!verdict.enforced)
    site.log.warn({ ...facts, mode: route?.mode }, 'passed on though it fails verification')
  else if (verdict.reason === 'store-unavailable') site.log.error(facts, 'refused')
  else site.log.info(facts, 'refused')
}

/** Writes an answer of the gateway itself to the log. */
export function logAnswer(
  site: Site,
  exchange: Exchange,
  code: AnswerCode | 'client-gone',
  detail: string | undefined,
  route?: Route,
): void {
  const facts = { ...factsOf(exchange), route: route?.name, code, detail }
  const status = code === 'client-gone' ? 0 : answers[code].status
  if (status >= 500) site.log.error(facts, 'failed')
  else site.log.info(facts, 'refused')
}

/** Facts that every line has. The query is left out: it is where secrets end up by mistake. */
function factsOf({ request, startedMs }: Exchange): LogFacts {
  const target = request.url ?? ''
  const mark = target.indexOf('?')
  return {
    peer: request.socket.remoteAddress,
    method: plainText(request.method ?? ''),
    path: plainText(mark < 0 ? target : target.slice(0, mark)),
    ms: Math.round((performance.now() - startedMs) * 10) / 10,
  }
}
