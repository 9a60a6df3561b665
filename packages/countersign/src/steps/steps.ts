import type { AnswerTo, Need } from './need.ts'

/** A computation that asks for what it needs and gives a `T`. Drivers answer its needs. */
export type Steps<T> = Generator<Need, T, unknown>

/** Asks for one need: `const credential = yield* ask({ kind: 'credential', keyId, scheme })`. */
export function* ask<N extends Need>(need: N): Generator<Need, AnswerTo<N>, unknown> {
  const answer: unknown = yield need
  return answer as AnswerTo<N> // the one place where drivers, typed by `Answerer`, meet the untyped `yield`
}
