import { isPromise } from '../message/body.ts'
import { CountersignError } from '../reasons/error.ts'
import { answer, type Driver } from './need.ts'
import type { Steps } from './steps.ts'

/** Runs steps to their end, awaiting only where an answer is a promise. */
export async function drive<T>(steps: Steps<T>, driver: Driver): Promise<T> {
  let turn = steps.next()
  while (!turn.done) {
    let reply: unknown
    try {
      const given: unknown = answer(driver, turn.value)
      reply = isPromise(given) ? await given : given
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
export function driveSync<T>(steps: Steps<T>, driver: Driver): T {
  let turn = steps.next()
  while (!turn.done) {
    const need = turn.value
    let reply: unknown
    try {
      reply = answer(driver, need)
    } catch (cause) {
      turn = steps.throw(cause)
      continue
    }
    if (isPromise(reply)) {
      // The promise is not ours to use any more; its failure must not become an unhandled rejection.
      reply.then(undefined, () => undefined)
      throw new CountersignError(
        'sync-impossible',
        `the ${need.kind} is only to be had asynchronously: call the asynchronous method instead`,
      )
    }
    turn = steps.next(reply)
  }
  return turn.value
}
