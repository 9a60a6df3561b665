import { isPromise, type MaybePromise } from '../message/body.ts'
import { CountersignError } from '../reasons/error.ts'
import { answer, type Driver, type Need, type NeedKind } from './need.ts'
import type { Steps } from './steps.ts'

/** Steps that can only go on when an answer is there. */
interface Waiting {
  readonly kind: NeedKind
  readonly answer: Promise<unknown>
}

/** Runs steps as far as answers come at once: to their end, or to the first promise. */
function advance<T>(
  steps: Steps<T>,
  driver: Driver,
  first: IteratorResult<Need, T>,
): IteratorReturnResult<T> | Waiting {
  let turn = first
  while (!turn.done) {
    const need = turn.value
    let reply: unknown
    try {
      reply = answer(driver, need)
    } catch (cause) {
      turn = steps.throw(cause)
      continue
    }
    if (isPromise(reply)) return { kind: need.kind, answer: reply }
    turn = steps.next(reply)
  }
  return turn
}

/**
 * Runs steps to their end, and waits only where an answer is a promise. Gives the result at once where none was:
 * an `async` function would cost three promises and 900 bytes for each message.
 */
export function drive<T>(steps: Steps<T>, driver: Driver): MaybePromise<T> {
  const reached = advance(steps, driver, steps.next())
  return 'answer' in reached ? driveLater(steps, driver, reached) : reached.value
}

async function driveLater<T>(steps: Steps<T>, driver: Driver, waiting: Waiting): Promise<T> {
  let reached: IteratorReturnResult<T> | Waiting = waiting
  while ('answer' in reached) reached = advance(steps, driver, await turnAfter(steps, reached.answer))
  return reached.value
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
  const reached = advance(steps, driver, steps.next())
  if (!('answer' in reached)) return reached.value
  // The promise is not ours to use any more; its failure must not become an unhandled rejection.
  reached.answer.then(undefined, () => undefined)
  throw new CountersignError(
    'sync-impossible',
    `the ${reached.kind} is only to be had asynchronously: call the asynchronous method instead`,
  )
}
