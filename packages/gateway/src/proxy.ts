import type { Readable } from 'node:stream'
import { type RequestMessage, reasons, type Verdict, type Verified } from 'countersign'
import { sendAnswer, sendRefusal } from './answer.ts'
import type { AnswerCode } from './answers.ts'
import { type Exchange, sendContinue } from './exchange.ts'
import { upstreamFields } from './fields.ts'
import { type Identified, identityFields } from './identity.ts'
import type { Received } from './receive.ts'
import { logAnswer, logVerdict } from './record.ts'
import { findRoute } from './routes.ts'
import type { Route, Site } from './site.ts'
import { type BodyTrouble, type HeldBody, Spool, type SpoolOptions } from './spool.ts'
import { StreamedBody } from './stream.ts'
import type { UpstreamExchange } from './upstream.ts'

const troubleCodes: Readonly<Record<Exclude<BodyTrouble, 'aborted'>, AnswerCode>> = {
  'too-large': 'body-too-large',
  slow: 'body-slow',
  malformed: 'body-malformed',
  storage: 'spool-failed',
}

/** Judges one request and, where it stands, passes it on: no byte of it reaches the upstream before, unless its route streams. */
export async function proxy(exchange: Exchange, received: Received, site: Site): Promise<void> {
  const { message } = received
  if (message.problem !== undefined) return refuseMalformed(exchange, message.problem, site)
  const routing = findRoute(site.routes, message)
  if (routing.kind !== 'route') {
    const code = routing.kind === 'denied' ? 'route-denied' : 'target-ambiguous'
    logAnswer(site, exchange, code, routing.kind === 'ambiguous' ? routing.detail : undefined)
    return sendAnswer(exchange, code)
  }
  const passage = new Passage(exchange, received, routing.route, site)
  try {
    await passage.run()
  } finally {
    passage.dispose()
  }
}

/** Answers a request that no verifier could judge. */
function refuseMalformed(exchange: Exchange, detail: string, site: Site): void {
  const { status } = reasons['message-malformed']
  const verdict = {
    ok: false,
    reason: 'message-malformed',
    status,
    headers: [],
    detail,
    enforced: true,
    mode: 'enforce',
    scheme: undefined,
    claim: undefined,
  } as const
  logVerdict(site, exchange, undefined, verdict)
  sendRefusal(exchange, verdict)
}

/** One request on its way through one route. */
class Passage {
  readonly #exchange: Exchange
  readonly #received: Received
  readonly #route: Route
  readonly #site: Site
  #body: HeldBody | undefined
  #upstream: UpstreamExchange | undefined
  /** What went out ahead of the verdict, on a route that streams. */
  #ahead: readonly string[] | undefined
  #lookedUp: Identified | undefined

  constructor(exchange: Exchange, received: Received, route: Route, site: Site) {
    this.#exchange = exchange
    this.#received = received
    this.#route = route
    this.#site = site
  }

  async run(): Promise<void> {
    const { framing } = this.#exchange
    this.#body = framing.hasContent ? this.#takeBody() : undefined
    this.#exchange.body = this.#body
    const message: RequestMessage =
      this.#body === undefined ? this.#received.message : { ...this.#received.message, body: this.#body }
    const verdict = await this.#judge(message)
    logVerdict(this.#site, this.#exchange, this.#route, verdict)

    const trouble = this.#body?.trouble
    if (!verdict.ok && (verdict.enforced || trouble !== undefined)) return this.#refuse(verdict, trouble)
    const released = await this.#body?.release()
    if (released?.trouble !== undefined) return this.#answerTrouble(released.trouble)
    if (this.#exchange.response.destroyed) return

    const proven = verdict.ok ? verdict : undefined
    const fields = this.#fieldsFor(proven, released?.length)
    if (typeof fields === 'string') return this.#answer('fields-refused', fields)
    if (this.#ahead !== undefined && !this.#isAsSentAhead(proven, fields)) {
      return this.#answer('fields-refused', 'another signature stood than the one that was passed on ahead')
    }
    this.#upstream ??= this.#route.upstream.send(
      { method: message.method, target: message.target, fields, content: released?.content },
      this.#exchange.response,
    )
    this.#upstream.pass()
    const outcome = await this.#upstream.done
    if (outcome !== undefined && outcome !== 'cut') this.#answer(outcome, undefined)
  }

  dispose(): void {
    this.#body?.dispose()
  }

  #judge(message: RequestMessage): Promise<Verdict> {
    const { verifier, rights, streams } = this.#route
    const judge = (): Promise<Verdict> => verifier.verify(message, { rights })
    if (!streams) return judge()
    return this.#route.reportingLookups((credential, scheme) => {
      this.#lookedUp = { scheme, credential }
    }, judge)
  }

  #takeBody(): HeldBody {
    const { config } = this.#site
    const options: SpoolOptions = {
      stream: this.#exchange.request,
      declaredBytes: this.#exchange.framing.declaredBytes,
      limitBytes: this.#route.limitBytes,
      memoryBytes: config.body.memoryBytes,
      directory: config.body.spoolDir,
      beforeRead: () => sendContinue(this.#exchange),
    }
    if (!this.#route.streams) return new Spool(options)
    const body: StreamedBody = new StreamedBody({
      ...options,
      begin: (content) => this.#begin(content, () => body.stopSending()),
    })
    return body
  }

  /** Opens the way upstream ahead of the verdict, with the identity whose signature over the header is proven. */
  #begin(content: Readable, onAnswer: () => void): boolean {
    const { response, framing } = this.#exchange
    const identified = this.#lookedUp
    const held = identified?.credential.rights ?? []
    if (identified === undefined || !this.#route.rights.every((right) => held.includes(right))) return false
    const fields = this.#fieldsWith(identified, undefined, framing.declaredBytes)
    if (typeof fields === 'string') return false
    this.#ahead = fields
    const { method, target } = this.#received.message
    this.#upstream = this.#route.upstream.send({ method, target, fields, content }, response, onAnswer)
    // An upstream that is gone reads no more: the rest is judged, and not kept waiting for it.
    void this.#upstream.done.then(onAnswer)
    return true
  }

  #isAsSentAhead(proven: Verified | undefined, fields: readonly string[]): boolean {
    const ahead = this.#ahead ?? []
    return (
      proven !== undefined && ahead.length === fields.length && ahead.every((text, i) => text === fields[i])
    )
  }

  #fieldsFor(proven: Verified | undefined, contentBytes: number | undefined): string[] | string {
    const { framing } = this.#exchange
    const length = contentBytes ?? framing.declaredBytes
    return this.#fieldsWith(proven, proven?.claim, length)
  }

  #fieldsWith(
    identified: Identified | undefined,
    claim: Verified['claim'] | undefined,
    contentLength: number | undefined,
  ): string[] | string {
    const { message, peer, trusted } = this.#received
    const fields = upstreamFields({
      method: message.method,
      fields: message.fields,
      claim,
      peer,
      trusted,
      scheme: message.scheme,
      authority: message.authority,
      contentLength,
    })
    if (typeof fields !== 'string' && identified !== undefined) fields.push(...identityFields(identified))
    return fields
  }

  #refuse(verdict: Extract<Verdict, { ok: false }>, trouble: BodyTrouble | undefined): void {
    this.#upstream?.cut()
    // The verdict says only that the content is not there; how the answer puts it depends on why.
    if (trouble !== undefined && verdict.reason !== 'body-too-large') this.#answerTrouble(trouble)
    else sendRefusal(this.#exchange, verdict)
  }

  #answerTrouble(trouble: BodyTrouble): void {
    this.#upstream?.cut()
    if (trouble === 'aborted') {
      logAnswer(this.#site, this.#exchange, 'client-gone', undefined)
      this.#exchange.response.destroy()
      return
    }
    this.#answer(troubleCodes[trouble], undefined)
  }

  #answer(code: AnswerCode, detail: string | undefined): void {
    this.#upstream?.cut()
    logAnswer(this.#site, this.#exchange, code, detail, this.#route)
    sendAnswer(this.#exchange, code)
  }
}
