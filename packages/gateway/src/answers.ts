/** What the gateway itself answers, apart from verdicts: a status, and a text for outsiders. */
export interface Answer {
  readonly status: number
  readonly text: string
  /** Seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number
}

/** A stable code of an answer of the gateway itself. Logs and metrics use these and the reasons of verdicts. */
export type AnswerCode =
  | 'route-denied'
  | 'target-ambiguous'
  | 'target-too-long'
  | 'fields-too-large'
  | 'fields-refused'
  | 'framing-refused'
  | 'method-refused'
  | 'version-refused'
  | 'upgrade-refused'
  | 'expectation-refused'
  | 'body-slow'
  | 'body-malformed'
  | 'body-too-large'
  | 'spool-failed'
  | 'headers-slow'
  | 'request-malformed'
  | 'hop-untrusted'
  | 'original-request-unknown'
  | 'content-unseen'
  | 'not-found'
  | 'draining'
  | 'overloaded'
  | 'not-ready'
  | 'upstream-unreachable'
  | 'upstream-broken'
  | 'upstream-slow'
  | 'failed'

/** Every answer of the gateway itself. `failed` is the only 500: it means a bug. */
export const answers: Readonly<Record<AnswerCode, Answer>> = {
  'route-denied': { status: 403, text: 'Nothing is served here.' },
  'target-ambiguous': { status: 400, text: 'The request target has more than one reading.' },
  'target-too-long': { status: 414, text: 'The request target is too long.' },
  'fields-too-large': { status: 431, text: 'There are too many header fields, or they are too long.' },
  'fields-refused': { status: 400, text: 'A header field cannot be passed on as it was received.' },
  'framing-refused': { status: 400, text: 'The framing of the content is not accepted.' },
  'method-refused': { status: 501, text: 'The method is not supported.' },
  'version-refused': { status: 505, text: 'The version of HTTP is not supported.' },
  'upgrade-refused': { status: 501, text: 'Upgrades are not supported.' },
  'expectation-refused': { status: 417, text: 'The expectation cannot be met.' },
  'body-slow': { status: 408, text: 'The content did not arrive in time.' },
  'body-malformed': { status: 400, text: 'The content is malformed.' },
  'body-too-large': { status: 413, text: 'The content is too large.' },
  'spool-failed': { status: 503, text: 'The request cannot be taken right now.', retryAfterSeconds: 1 },
  'headers-slow': { status: 408, text: 'The request did not arrive in time.' },
  'request-malformed': { status: 400, text: 'The request is malformed.' },
  'hop-untrusted': { status: 401, text: 'This endpoint is not for you.' },
  'original-request-unknown': { status: 401, text: 'The request to be judged is not known for sure.' },
  'content-unseen': { status: 401, text: 'Requests with content cannot be judged here.' },
  'not-found': { status: 404, text: 'There is nothing here.' },
  draining: { status: 503, text: 'The service is stopping.', retryAfterSeconds: 1 },
  overloaded: { status: 503, text: 'The service is busy.', retryAfterSeconds: 1 },
  'not-ready': { status: 503, text: 'The service is not ready.', retryAfterSeconds: 1 },
  'upstream-unreachable': { status: 502, text: 'The service behind this one cannot be reached.' },
  'upstream-broken': { status: 502, text: 'The service behind this one gave no usable answer.' },
  'upstream-slow': { status: 504, text: 'The service behind this one did not answer in time.' },
  failed: { status: 500, text: 'Something went wrong.' },
}
