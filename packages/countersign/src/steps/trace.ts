import { isPromise, type MaybePromise } from '../message/body.ts'
import { answer, type Driver, type Need } from './need.ts'

/** One need that steps had, and what came of it. Holds no secret, MAC, signature or body. */
export interface TraceEntry {
  readonly kind: Need['kind']
  /** What was asked, in words that may be shown. */
  readonly asked: string
  /** What was answered, in words that may be shown. */
  readonly answered: string
}

/** A driver that writes down what it is asked, for `explain` and tests. */
export interface Recording {
  readonly driver: Driver
  readonly entries: readonly TraceEntry[]
}

/** Wraps a driver so that each need and its answer are written down. */
export function recording(driver: Driver): Recording {
  const entries: TraceEntry[] = []
  const record = (need: Need, answered: string): void => {
    entries.push({ kind: need.kind, asked: askedText(need), answered })
  }
  const observe = (need: Need): MaybePromise<unknown> => {
    let reply: MaybePromise<unknown>
    try {
      reply = answer(driver, need)
    } catch (failure) {
      record(need, 'failed')
      throw failure
    }
    if (!isPromise(reply)) {
      record(need, answeredText(need, reply))
      return reply
    }
    return reply.then(
      (later) => {
        record(need, answeredText(need, later))
        return later
      },
      (failure: unknown) => {
        record(need, 'failed')
        throw failure
      },
    )
  }
  const ask = observe as never // answers pass through untouched, so they keep the types of the wrapped driver
  return {
    entries,
    driver: {
      credential: ask,
      body: ask,
      'body-digest': ask,
      mac: ask,
      verify: ask,
      sign: ask,
      nonce: ask,
      random: ask,
      time: ask,
    },
  }
}

function askedText(need: Need): string {
  switch (need.kind) {
    case 'credential':
      return `credential ${JSON.stringify(need.keyId)} for ${need.scheme}`
    case 'body':
      return `body up to ${need.limitBytes} bytes`
    case 'body-digest':
      return `${need.hashNames.join(', ')} of the body up to ${need.limitBytes} bytes`
    case 'mac':
      return `HMAC ${need.hash} of ${need.base.text.length} characters of base`
    case 'verify':
      return `${need.algorithm.name} over ${need.base.text.length} characters of base`
    case 'sign':
      return `${need.algorithm.name} signature of ${need.base.text.length} characters of base`
    case 'nonce':
      return `nonce until ${need.expiresAt}`
    case 'random':
      return `${need.byteLength} random bytes`
    case 'time':
      return 'the present'
    default:
      return need satisfies never
  }
}

function answeredText(need: Need, reply: unknown): string {
  switch (need.kind) {
    case 'credential':
      return reply === undefined ? 'unknown' : 'found'
    case 'verify':
      return reply === true ? 'fits' : 'does not fit'
    case 'nonce':
      return reply === 'fresh' ? 'fresh' : 'seen'
    case 'body':
    case 'body-digest':
      return typeof reply === 'object' && reply !== null && 'problem' in reply
        ? String(reply.problem)
        : 'read'
    case 'mac':
    case 'sign':
    case 'random':
      return 'made'
    case 'time':
      return String(reply)
    default:
      return need satisfies never
  }
}
