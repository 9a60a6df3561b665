import { type Clock, systemClock } from '../../clock/clock.ts'
import { CountersignError } from '../../reasons/error.ts'
import type { NonceStore } from '../../replay/nonce-store.ts'
import { tokenHasher } from './token-hash.ts'
import { locate, put, type TokenTable, tokenTable } from './token-table.ts'

/** What `memoryNonces` takes. */
export interface MemoryNoncesOptions {
  /** Most live tokens. Default 1,000,000; 1 to 100,000,000. They take 24 to 30 bytes each, and only those that are there. */
  readonly limit?: number
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** A nonce store that answers at once, so `verifySync` works with it. */
export interface MemoryNonces extends NonceStore {
  /** @throws CountersignError `store-failed` where it is full, or cannot tell because a clock was set back. */
  record(nonce: string, expiresAt: number): 'fresh' | 'seen'
}

// A rebuild of one table is the longest pause: about 0.1 ms at this size.
const tokensPerTable = 4096
// Ends are kept in 31 bits, counted from 34 years before the store was made.
const yearsBack = 2 ** 30
const lastEnd = 2 ** 31 - 1
const lateSeconds = 60

/**
 * Remembers replay tokens in this process, each through the last second of its time; bounded, and never forgets a live one
 * to make room. A token that comes after its end is kept for 60 s. One so old that it may have been forgotten already
 * (its end is no later than that of some token that was) is not guessed about: that throws.
 */
export function memoryNonces(options: MemoryNoncesOptions = {}): MemoryNonces {
  const { limit = 1_000_000, clock = systemClock } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000_000) {
    throw new CountersignError('config-invalid', `limit: expected 1 to 100,000,000, got ${limit}`)
  }
  const hash = tokenHasher()
  const lanes = new Int32Array(4)
  const tables: (TokenTable | undefined)[] = new Array(tableCount(limit)).fill(undefined)
  const zero = Math.floor(clock()) - yearsBack
  const ends = countedEnds()

  return {
    record(nonce, expiresAt) {
      const wanted = Math.max(1, Math.ceil(expiresAt) - zero)
      if (Number.isNaN(wanted)) {
        throw new CountersignError('config-invalid', 'expiresAt: expected seconds since the epoch')
      }
      const now = Math.floor(clock()) - zero
      ends.advance(now)
      hash(nonce, lanes)
      const index = (lanes[0] ?? 0) & (tables.length - 1)
      let table = tables[index]
      if (table === undefined) {
        table = tokenTable()
        tables[index] = table
      }
      const forgottenThrough = ends.forgottenThrough()
      const at = locate(table, lanes, forgottenThrough)
      if (at >= 0) return 'seen'
      if (wanted <= forgottenThrough) throw tooOld()
      if (ends.live() >= limit) throw full(limit)
      const end = Math.min(wanted < now ? now + lateSeconds : wanted, lastEnd)
      put(table, lanes, { at: ~at, end, forgottenThrough })
      ends.add(end)
      return 'fresh'
    },
  }
}

interface CountedEnds {
  /** Forgets the entries whose end lies before `now`. */
  advance(now: number): void
  add(end: number): void
  live(): number
  /** The latest end among forgotten entries; never goes back, whatever the clock does. 0: none yet. */
  forgottenThrough(): number
}

/** Counts entries by their end, so that the number of live ones is exact although the tables drop them later. */
function countedEnds(): CountedEnds {
  const counts = new Map<number, number>()
  let live = 0
  let forgottenThrough = 0
  let advancedTo = 0

  function drop(end: number): void {
    const count = counts.get(end)
    if (count === undefined) return
    counts.delete(end)
    live -= count
    if (end > forgottenThrough) forgottenThrough = end
  }

  return {
    advance(now) {
      if (now === advancedTo) return
      // Step by step through the seconds that passed; where that would be longer, through the ends that are there.
      if (now - advancedTo <= counts.size) for (let end = advancedTo; end < now; end++) drop(end)
      else for (const end of counts.keys()) if (end < now) drop(end)
      advancedTo = now
    },
    add(end) {
      counts.set(end, (counts.get(end) ?? 0) + 1)
      live++
    },
    live: () => live,
    forgottenThrough: () => forgottenThrough,
  }
}

/** A power of two, so that some bits of the hash pick the table. */
function tableCount(limit: number): number {
  let count = 1
  while (count * tokensPerTable < limit) count *= 2
  return count
}

function full(limit: number): CountersignError {
  return new CountersignError(
    'store-failed',
    `memoryNonces is full: ${limit} live nonces; raise limit, or shorten how long signatures are accepted`,
  )
}

function tooOld(): CountersignError {
  return new CountersignError(
    'store-failed',
    'memoryNonces cannot tell whether this nonce is fresh: it ended before others that are forgotten. Was the clock set back, or is it not the clock of the verifier?',
  )
}
