import { randomUUID } from 'node:crypto'
import { type NonceStore, systemClock } from 'countersign'
import type { GatewayLog } from './log.ts'

/** Nonces, and whether they can be recorded. */
export interface NonceWatch {
  /** The store that is watched; to be used in its place. */
  readonly nonces: NonceStore
  /** Whether nonces can be recorded: false from a write that failed, and a second one of ours that failed too, to one that did not. */
  readonly isWritable: boolean
  stop(): void
}

// How often a store that fails is tried, in milliseconds. A gateway that says it is not ready gets no requests that would try it.
const tryEveryMs = 250

// A probe is never seen again; it may be forgotten at once.
const probeSeconds = 1

/** Watches a store of nonces. While its writes fail it is tried until one succeeds; otherwise nothing is written but what is recorded. */
export function watchNonces(store: NonceStore, log: GatewayLog): NonceWatch {
  let isWritable = true
  let isTrying = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  // One token may be refused for what it is; only a fresh one that fails as well says something of the store.
  const attempt = async (): Promise<void> => {
    try {
      await store.record(`probe ${randomUUID()}`, systemClock() + probeSeconds)
      if (!isWritable) log.info({}, 'nonces can be recorded again')
      isWritable = true
      isTrying = false
    } catch {
      if (isStopped) return
      if (isWritable) log.error({}, 'nonces cannot be recorded')
      isWritable = false
      timer = setTimeout(attempt, tryEveryMs)
    }
  }
  const suspect = (cause: unknown): never => {
    if (!isTrying && !isStopped) {
      isTrying = true
      void attempt()
    }
    throw cause
  }

  return {
    nonces: {
      record(nonce, expiresAt) {
        try {
          const recorded = store.record(nonce, expiresAt)
          return recorded instanceof Promise ? recorded.catch(suspect) : recorded
        } catch (cause) {
          return suspect(cause)
        }
      },
    },
    get isWritable() {
      return isWritable
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
