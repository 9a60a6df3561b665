import type { MaybePromise } from '../message/body.ts'
import { CountersignError } from '../reasons/error.ts'
import type { AnswerTo, Need } from './need.ts'
import type { Steps } from './steps.ts'

/** Answers needs, at once or later. A failure is thrown or rejected; the steps decide what it means. */
export type Answerer = <N extends Need>(need: N) => MaybePromise<AnswerTo<N>>

/** Runs steps to their end, awaiting only where an answer is a promise. */
export async function drive<T>(steps: Steps<T>, answer: Answerer): Promise<T> {
  let turn = steps.next()
  while (!turn.done) {
    let reply: unknown
    try {
      const given: unknown = answer(turn.value)
      reply = given instanceof Promise ? await given : given
    } catch (cause) {
      turn = steps.throw(cause)
      continue
    }
    turn = steps.next(reply)
  }
  return turn.value
}

/**
 * Runs steps to their end without ever waiting.
 * @throws CountersignError `sync-impossible` where an answer is a promise: a remote store, WebCrypto, a body still to be read.
 */
export function driveSync<T>(steps: Steps<T>, answer: Answerer): T {
  let turn = steps.next()
  while (!turn.done) {
    const need = turn.value
    let reply: unknown
    try {
      reply = answer(need)
    } catch (cause) {
      turn = steps.throw(cause)
      continue
    }
    if (reply instanceof Promise) {
      // The promise is not ours to use any more; its failure must not become an unhandled rejection.
      reply.catch(() => undefined)
      throw new CountersignError(
        'sync-impossible',
        `the ${need.kind} is only to be had asynchronously: call the asynchronous method instead`,
      )
    }
    turn = steps.next(reply)
  }
  return turn.value
}
