import { type Clock, systemClock } from '../clock/clock.ts'
import type { Credential } from '../credentials/credential.ts'
import { knowCredential } from '../credentials/known.ts'
import type { CredentialStore } from '../credentials/store.ts'
import { isPromise, type MaybePromise } from '../message/body.ts'
import { CountersignError } from '../reasons/error.ts'

/** What `cachedCredentials` takes. */
export interface CachedCredentialsOptions {
  /** Answers are younger than this, in seconds: a revocation in the store shows within it. Default 5; 0 to 3600. 0 only joins reads under way. */
  readonly ttlSeconds?: number
  /** Most known ids held, and as many unknown ones. Default 10,000; 1 to 1,000,000. */
  readonly limit?: number
  /** Default: the clock of the machine. */
  readonly clock?: Clock
}

/** A credential store with a cache in front. */
export interface CachedCredentials extends CredentialStore {
  /** Forgets all answers; those of reads under way are not kept either. */
  clear(): void
}

// Longer ids than any store here keeps are passed through: 10,000 of them would take the memory that the limit is to bound.
const longestId = 256

/**
 * Puts a cache in front of a credential store. Concurrent finds of one id share one read. Failed reads are not kept.
 * Known and unknown ids are bounded apart, so a flood of made-up ids pushes out no real one. Where the store answers at once
 * the cache does too.
 * @throws CountersignError `config-invalid` where an option is out of range.
 */
export function cachedCredentials(
  store: CredentialStore,
  options: CachedCredentialsOptions = {},
): CachedCredentials {
  const { ttlSeconds = 5, limit = 10_000, clock = systemClock } = options
  checkRange('ttlSeconds', ttlSeconds, [0, 3600])
  checkRange('limit', limit, [1, 1_000_000])
  const known = boundedAnswers(limit, ttlSeconds)
  const unknown = boundedAnswers(limit, ttlSeconds)
  let underWay = new Map<string, Promise<Credential | undefined>>()

  function keep(key: string, found: Credential | undefined, readAt: number): Credential | undefined {
    // Made ready once for all finds, so that a backend's caches, which go by identity, serve every one of them.
    const credential = found === undefined ? undefined : knowCredential(found)
    known.drop(key)
    unknown.drop(key)
    const answers = credential === undefined ? unknown : known
    answers.set(key, { credential, readAt })
    return credential
  }

  function read(key: string, keyId: string, scheme: string): MaybePromise<Credential | undefined> {
    // Age counts from the start of the read: what changes in the store meanwhile may be missing from the answer.
    const readAt = clock()
    const answer = store.find(keyId, scheme)
    if (!isPromise(answer)) return keep(key, answer, readAt)
    const reads = underWay
    const shared = answer.then(
      (found) => {
        // After `clear` this read belongs to a past that must not come back.
        if (reads !== underWay) return found
        reads.delete(key)
        return keep(key, found, readAt)
      },
      (failure: unknown) => {
        reads.delete(key)
        throw failure
      },
    )
    reads.set(key, shared)
    return shared
  }

  return {
    find(keyId, scheme) {
      if (keyId.length > longestId) return store.find(keyId, scheme)
      const key = `${scheme.length}:${scheme}${keyId}`
      const now = clock()
      const answer = known.get(key, now) ?? unknown.get(key, now)
      return answer === undefined ? (underWay.get(key) ?? read(key, keyId, scheme)) : answer.credential
    },
    clear() {
      known.clear()
      unknown.clear()
      underWay = new Map()
    },
  }
}

interface Answer {
  readonly credential: Credential | undefined
  /** Whole seconds since the epoch. */
  readonly readAt: number
}

interface BoundedAnswers {
  get(key: string, now: number): Answer | undefined
  set(key: string, answer: Answer): void
  drop(key: string): void
  clear(): void
}

/** Answers up to a number; the one read longest ago makes room, as a Map keeps the order of insertion. */
function boundedAnswers(limit: number, ttlSeconds: number): BoundedAnswers {
  const answers = new Map<string, Answer>()
  return {
    get(key, now) {
      const answer = answers.get(key)
      if (answer === undefined) return undefined
      const age = now - answer.readAt
      // A clock that was set back makes answers from the future: they are of unknown age.
      if (age >= 0 && age < ttlSeconds) return answer
      answers.delete(key)
      return undefined
    },
    set(key, answer) {
      if (answers.size >= limit) {
        const [oldest] = answers.keys()
        if (oldest !== undefined) answers.delete(oldest)
      }
      answers.set(key, answer)
    },
    drop: (key) => {
      answers.delete(key)
    },
    clear: () => answers.clear(),
  }
}

function checkRange(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (!(value >= least && value <= most)) {
    throw new CountersignError('config-invalid', `${name}: expected ${least} to ${most}, got ${value}`)
  }
}
