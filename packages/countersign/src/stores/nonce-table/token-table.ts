import type { HashLanes } from './token-hash.ts'

/**
 * A hash table of tokens: open addressing with linear probing in one typed array, 20 bytes a slot.
 * A slot holds four lanes of hash and an end; an end of 0 marks a slot that was never used since the last rebuild.
 * Ends are whole numbers from 1 to 2^31 - 1. Entries with ends up to `forgottenThrough` count as gone.
 */
export interface TokenTable {
  slots: Int32Array
  /** Slots in use, entries that are gone included. */
  used: number
}

const lanesPerSlot = 5
const smallest = 16
// Rebuilt at 85 % to 68 %: 20 bytes a slot make 23.5 to 29.4 a token, and a rebuild comes every quarter of growth.
// Small tables have more room to grow, which saves every second rebuild while the store fills for the first time.
const fullShare = 0.85
const freshShare = 0.68
const smallShare = 0.45
const smallTokens = 1024

/** Makes an empty table. */
export function tokenTable(): TokenTable {
  return { slots: new Int32Array(smallest * lanesPerSlot), used: 0 }
}

/**
 * Finds where a token stands: its offset where it is there, else the complement (`~`) of the offset to put it at.
 * The place of an entry that is gone is used again, so a chain needs no tombstones.
 */
export function locate(table: TokenTable, lanes: HashLanes, forgottenThrough: number): number {
  const { slots } = table
  // One by one: taking a typed array apart by pattern runs its iterator, at twenty times the cost.
  const h0 = lanes[0] ?? 0
  const h1 = lanes[1] ?? 0
  const h2 = lanes[2] ?? 0
  const h3 = lanes[3] ?? 0
  let at = startOf(slots, h1)
  let free = -1
  for (;;) {
    const end = slots[at + 4] ?? 0
    if (end === 0) return ~(free < 0 ? at : free)
    const gone = end <= forgottenThrough
    if (slots[at + 1] === h1 && slots[at] === h0 && slots[at + 2] === h2 && slots[at + 3] === h3) {
      return gone ? ~at : at
    }
    if (gone && free < 0) free = at
    at += lanesPerSlot
    if (at === slots.length) at = 0
  }
}

/** Puts a token at a place that `locate` gave, and rebuilds the table where it has become too full to probe quickly. */
export function put(
  table: TokenTable,
  lanes: HashLanes,
  entry: { readonly at: number; readonly end: number; readonly forgottenThrough: number },
): void {
  const { slots } = table
  const { at, end } = entry
  if (slots[at + 4] === 0) table.used++
  slots[at] = lanes[0] ?? 0
  slots[at + 1] = lanes[1] ?? 0
  slots[at + 2] = lanes[2] ?? 0
  slots[at + 3] = lanes[3] ?? 0
  slots[at + 4] = end
  if (table.used * lanesPerSlot > slots.length * fullShare) rebuild(table, entry.forgottenThrough)
}

function rebuild(table: TokenTable, forgottenThrough: number): void {
  const before = table.slots
  let live = 0
  for (let at = 4; at < before.length; at += lanesPerSlot) if ((before[at] ?? 0) > forgottenThrough) live++
  const capacity = Math.ceil(live / (live < smallTokens ? smallShare : freshShare))
  const slots = new Int32Array(Math.max(smallest, capacity) * lanesPerSlot)
  for (let from = 0; from < before.length; from += lanesPerSlot) {
    const end = before[from + 4] ?? 0
    if (end <= forgottenThrough) continue
    let at = startOf(slots, before[from + 1] ?? 0)
    while (slots[at + 4] !== 0) {
      at += lanesPerSlot
      if (at === slots.length) at = 0
    }
    slots[at] = before[from] ?? 0
    slots[at + 1] = before[from + 1] ?? 0
    slots[at + 2] = before[from + 2] ?? 0
    slots[at + 3] = before[from + 3] ?? 0
    slots[at + 4] = end
  }
  table.slots = slots
  table.used = live
}

/** Any capacity will do, not only powers of two: the hash is scaled, not masked. */
function startOf(slots: Int32Array, hash: number): number {
  const capacity = slots.length / lanesPerSlot
  return Math.floor(((hash >>> 0) * capacity) / 0x1_0000_0000) * lanesPerSlot
}
