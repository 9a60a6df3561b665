import type { Answers, AnswerTo, Need, NeedKind } from './need.ts'

/** A computation that asks for what it needs and gives a `T`. Drivers answer its needs. */
export type Steps<T> = Generator<Need, T, unknown>

/** Asks for one need: `const credential = yield* ask({ kind: 'credential', keyId, scheme })`. */
export function* ask<N extends Need>(need: N): Generator<Need, AnswerTo<N>, unknown> {
  const answer: unknown = yield need
  return answer as AnswerTo<N> // the one place where drivers, typed by `Driver`, meet the untyped `yield`
}

/**
 * Types the answer to a need: `const mac = answered('mac', yield { kind: 'mac', ... })`. Says the same as `ask` without its inner
 * generator, which costs 0.3 us: for the four needs of the verifier's hot path.
 */
export function answered<K extends NeedKind>(_kind: K, answer: unknown): Answers[K] {
  return answer as Answers[K] // as in `ask`
}
