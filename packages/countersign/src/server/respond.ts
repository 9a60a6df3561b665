import { type Reason, reasons } from '../reasons/reasons.ts'
import type { Refused } from '../verifier/verdict.ts'

/** A whole answer to a refused request. */
export interface Answer {
  readonly status: number
  /** A name may occur more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Text is sent as UTF-8. Default: none. */
  readonly body?: string | Uint8Array
}

/** Makes the answer to a refusal. What it tells is told to outsiders: `reason` and `detail` of the verdict are for logs. */
export type Respond = (verdict: Refused) => Answer

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
}

const shared = sharedTexts()

/**
 * Gives the code that outsiders are told. Reasons that share their text outside share one code, `signature-refused`,
 * so that nobody can tell an unknown key from a wrong signature.
 */
export function publicReason(reason: Reason): string {
  return shared.has(reasons[reason].outside) ? 'signature-refused' : reason
}

/**
 * Answers a refusal as problem details: the text and code for outsiders, the challenge of the verdict, never stored.
 * @see RFC 9457 section 3
 */
export function respond(verdict: Refused): Answer {
  const problem = {
    title: titles[verdict.status] ?? 'Request Refused',
    status: verdict.status,
    detail: reasons[verdict.reason].outside,
    reason: publicReason(verdict.reason),
  }
  return {
    status: verdict.status,
    headers: [
      ['Content-Type', 'application/problem+json'],
      ['Cache-Control', 'no-store'],
      ...verdict.headers,
    ],
    body: `${JSON.stringify(problem)}\n`,
  }
}

function sharedTexts(): ReadonlySet<string> {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const { outside } of Object.values(reasons)) (seen.has(outside) ? shared : seen).add(outside)
  return shared
}
