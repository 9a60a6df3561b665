import type { Clock } from '../clock/clock.ts'
import { CountersignError } from '../reasons/error.ts'

/** A clock that stands still until it is told otherwise. Pass it wherever a `Clock` is taken. */
export interface SettableClock extends Clock {
  /** Sets the present, in whole seconds since the epoch. */
  set(at: number): void
  /** Moves the present by whole seconds; a negative number sets the clock back. */
  advance(seconds: number): void
}

/**
 * Makes a clock that shows `at`, in whole seconds since the epoch.
 * @throws CountersignError `config-invalid` where an instant is not a whole number: milliseconds are a common slip.
 */
export function settableClock(at: number): SettableClock {
  let now = whole(at)
  return Object.assign(() => now, {
    set: (at: number) => {
      now = whole(at)
    },
    advance: (seconds: number) => {
      now = whole(now + seconds)
    },
  })
}

// The year 5138 in seconds; Date.now() of any year since 1973 is above it.
const latest = 100_000_000_000

function whole(at: number): number {
  if (Number.isInteger(at) && Math.abs(at) < latest) return at
  throw new CountersignError('config-invalid', `clock: expected whole seconds since the epoch, got ${at}`)
}
