import { isPromise, type MaybePromise } from '../message/body.ts'
import { CountersignError } from '../reasons/error.ts'
import { answer, type Driver, type Need } from './need.ts'
import type { Steps } from './steps.ts'

/**
 * Runs steps to their end, and waits only where an answer is a promise. Gives the result at once where none was:
 * an `async` function would cost three promises and 900 bytes for each message.
 */
export function drive<T>(steps: Steps<T>, driver: Driver): MaybePromise<T> {
  let turn = steps.next()
  while (!turn.done) {
    let reply: unknown
    try {
      reply = answer(driver, turn.value)
    } catch (cause) {
      turn = steps.throw(cause)
      continue
    }
    if (isPromise(reply)) return driveLater(steps, driver, reply)
    turn = steps.next(reply)
  }
  return turn.value
}

async function driveLater<T>(steps: Steps<T>, driver: Driver, pending: Promise<unknown>): Promise<T> {
  let turn = await turnAfter(steps, pending)
  while (!turn.done) {
    let reply: unknown
    try {
      reply = answer(driver, turn.value)
    } catch (cause) {
      turn = steps.throw(cause)
      continue
    }
    turn = isPromise(reply) ? await turnAfter(steps, reply) : steps.next(reply)
  }
  return turn.value
}

async function turnAfter<T>(steps: Steps<T>, pending: Promise<unknown>): Promise<IteratorResult<Need, T>> {
  let reply: unknown
  try {
    reply = await pending
  } catch (cause) {
    return steps.throw(cause)
  }
  return steps.next(reply)
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
