import type {} from 'fastify'
import type { Verified } from '../verifier/verdict.ts'
import type { Verifier } from '../verifier/verifier.ts'
import type { NodeRequest } from './from-node.ts'
import { errorFrom, type Outcome, warningField } from './guard.ts'
import { answerBytes, gatheredFields, letFinish, mustClose } from './node-answer.ts'
import { type NodeGuardOptions, nodeGuard } from './node-guard.ts'
import type { Answer } from './respond.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The proven signature, behind `requireSignature`. `undefined` behind `readSignature` for an anonymous caller, and in
     * the modes that let pass what is refused: ask `signatureOf(request)` there, whose type says so.
     */
    signature: Verified
  }
}

/** What of a Fastify request is used. */
export interface FastifyRequestLike {
  readonly raw: NodeRequest
  signature?: Verified | undefined
}

/** What of a Fastify reply is used. */
export interface FastifyReplyLike {
  code(status: number): unknown
  header(name: string, value: unknown): unknown
  send(payload?: unknown): unknown
}

/** An `onRequest` hook of Fastify. */
export type FastifyHook = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>

/** What of a Fastify instance is used. */
export interface FastifyLike {
  decorateRequest(name: string, value: unknown): unknown
}

/** A plugin of Fastify. */
export type FastifyPluginLike = (app: FastifyLike, options: unknown, done: () => void) => void

const order =
  'use requireSignature() or readSignature() as an onRequest hook, which runs before the body is parsed'

/**
 * Plugin that gives every request its `signature` property from the start, which keeps requests of one shape and so
 * a little faster: `app.register(signatures)`. The hooks work without it.
 */
export const signatures: FastifyPluginLike = Object.assign(
  (app: FastifyLike, _options: unknown, done: () => void): void => {
    app.decorateRequest('signature', undefined)
    done()
  },
  // As `fastify-plugin` does it: the decoration is for the instance that registers, not for a child of its own.
  { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'countersign' },
)

/**
 * Gives an `onRequest` hook that lets a request pass only with an acceptable signature, which is then `request.signature`.
 * It reads the raw body itself and leaves it to the content type parsers intact. Give Fastify a `requestTimeout`: it has none
 * by default, and a client that is refused may send the rest of its body for ever.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function requireSignature(verifier: Verifier, options: NodeGuardOptions = {}): FastifyHook {
  return hook(nodeGuard(verifier, options, { needed: true, order }))
}

/**
 * Gives an `onRequest` hook that lets anonymous requests pass too; `signatureOf(request)` is then `undefined`.
 * A signature that is there and not acceptable is refused, never taken for anonymous.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function readSignature(verifier: Verifier, options: NodeGuardOptions = {}): FastifyHook {
  return hook(nodeGuard(verifier, options, { needed: false, order }))
}

/** Gives the proven signature of a request, or `undefined` for an anonymous one. */
export function signatureOf(request: { readonly signature?: Verified | undefined }): Verified | undefined {
  return request.signature
}

function hook(judge: (req: NodeRequest) => Promise<Outcome>): FastifyHook {
  return async (request, reply) => {
    let outcome: Outcome
    try {
      outcome = await judge(request.raw)
    } catch (failure) {
      throw errorFrom(failure)
    }
    if (outcome.kind === 'refused') return answerWith(request.raw, reply, outcome.answer)
    request.signature = outcome.signature
    if (outcome.warning !== undefined) reply.header(warningField, outcome.warning)
    return undefined
  }
}

function answerWith(req: NodeRequest, reply: FastifyReplyLike, answer: Answer): FastifyReplyLike {
  const bytes = answerBytes(answer)
  for (const [name, value] of gatheredFields(answer)) reply.header(name, value)
  reply.code(answer.status)
  if (mustClose(req)) {
    reply.header('connection', 'close')
    reply.header('content-length', String(bytes.length))
    reply.send(lastingUntil(bytes, () => letFinish(req)))
  } else reply.send(bytes)
  return reply
}

/** Content that is all there at once and ends later, so that the connection stays open until then. */
function lastingUntil(bytes: Uint8Array, ended: () => Promise<void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      if (bytes.length > 0) controller.enqueue(bytes)
    },
    pull: async (controller) => {
      await ended()
      controller.close()
    },
  })
}
