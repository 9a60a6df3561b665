/** One row of the reason table: what a refusal answers, and what it means to the people who run the service. */
export interface ReasonRow {
  /** HTTP status of the answer. */
  readonly status: number
  /** What an outsider is told. Unknown key and wrong signature share one text, so that nobody can probe for keys. */
  readonly outside: string
  /** What it means, for logs, `explain` and docs/reasons.md. */
  readonly meaning: string
}

/** A stable code that says why a message was refused. */
export type Reason =
  | 'message-malformed'
  | 'signature-absent'
  | 'signature-malformed'
  | 'algorithm-refused'
  | 'coverage-missing'
  | 'component-missing'
  | 'created-missing'
  | 'created-stale'
  | 'created-in-future'
  | 'expired'
  | 'credential-unknown'
  | 'credential-inactive'
  | 'credential-expired'
  | 'signature-mismatch'
  | 'digest-missing'
  | 'digest-mismatch'
  | 'digest-unsupported'
  | 'body-too-large'
  | 'nonce-missing'
  | 'replayed'
  | 'right-missing'
  | 'rate-limited'
  | 'store-unavailable'

/** Every reason a message can be refused for. The codes are stable: logs, metrics and clients depend on them. */
export const reasons: Readonly<Record<Reason, ReasonRow>> = {
  'message-malformed': {
    status: 400,
    outside: 'The request is malformed.',
    meaning: 'The message cannot be judged: two Host lines, an ambiguous target, a body that ended early.',
  },
  'signature-absent': {
    status: 401,
    outside: 'A signature is required.',
    meaning: 'No accepted scheme found its signature on the message.',
  },
  'signature-malformed': {
    status: 401,
    outside: 'The signature is malformed.',
    meaning: 'A signature field is there but does not follow the syntax of its scheme.',
  },
  'algorithm-refused': {
    status: 401,
    outside: 'The signature was not accepted.',
    meaning:
      'The algorithm is unknown, not allowed by the policy, not the one of the key, or missing in this runtime.',
  },
  'coverage-missing': {
    status: 401,
    outside: 'The signature does not cover what is required.',
    meaning: 'A component that the policy requires is not among the covered ones.',
  },
  'component-missing': {
    status: 401,
    outside: 'A covered component is missing or ambiguous.',
    meaning:
      'The signature covers a field or part that this message lacks, or that has more than one reading.',
  },
  'created-missing': {
    status: 401,
    outside: 'The signature has no creation time.',
    meaning: 'The policy bounds the age of signatures and this one does not say when it was made.',
  },
  'created-stale': {
    status: 401,
    outside: 'The signature is too old.',
    meaning:
      'The creation time is further back than the accepted age: a late message or a client clock that is behind.',
  },
  'created-in-future': {
    status: 401,
    outside: 'The signature is from the future.',
    meaning: 'The creation time is ahead of the tolerated clock difference: the client clock is fast.',
  },
  expired: {
    status: 401,
    outside: 'The signature has expired.',
    meaning: 'The expiry time that the signer chose has passed.',
  },
  'credential-unknown': {
    status: 401,
    outside: 'The signature was not accepted.',
    meaning: 'No credential has this key id.',
  },
  'credential-inactive': {
    status: 401,
    outside: 'The signature was not accepted.',
    meaning: 'The credential is switched off, revoked or not valid yet.',
  },
  'credential-expired': {
    status: 401,
    outside: 'The signature was not accepted.',
    meaning: 'The credential, or every secret of it, is past its end.',
  },
  'signature-mismatch': {
    status: 401,
    outside: 'The signature was not accepted.',
    meaning: 'The signature does not fit the message under any live secret of the credential.',
  },
  'digest-missing': {
    status: 401,
    outside: 'A digest of the content is required.',
    meaning: 'There is content, and no digest of it is covered by the signature.',
  },
  'digest-mismatch': {
    status: 401,
    outside: 'The digest does not match the content.',
    meaning: 'The covered digest is not that of the content received.',
  },
  'digest-unsupported': {
    status: 401,
    outside: 'The digest algorithm is not accepted.',
    meaning: 'Every digest given uses an algorithm that is weak or unknown.',
  },
  'body-too-large': {
    status: 413,
    outside: 'The content is too large.',
    meaning: 'The content is over the limit that the policy sets for verification.',
  },
  'nonce-missing': {
    status: 401,
    outside: 'The signature has no nonce.',
    meaning: 'The policy requires a nonce and the signature carries none.',
  },
  replayed: {
    status: 401,
    outside: 'The request was seen before.',
    meaning: 'The nonce of this signature was already used by this key.',
  },
  'right-missing': {
    status: 403,
    outside: 'The caller may not do this.',
    meaning: 'The signature is good, but the credential lacks a right that the route requires.',
  },
  'rate-limited': {
    status: 429,
    outside: 'Too many requests.',
    meaning: 'The key or the address is over its limit.',
  },
  'store-unavailable': {
    status: 503,
    outside: 'The request cannot be verified right now.',
    meaning: 'A credential store, nonce store or key could not be used. Nothing is accepted while in doubt.',
  },
}

/** A refusal on its way to a verdict: the code, and a detail for logs and `explain`, never for outsiders. */
export interface Refusal {
  readonly reason: Reason
  /** Free of secrets, signatures and body text. */
  readonly detail: string
}

// A class for the sake of `instanceof`: a look at a `kind` field meets objects of a dozen shapes and costs ten times as much.
class RefusalRecord implements Refusal {
  readonly reason: Reason
  readonly detail: string

  constructor(reason: Reason, detail: string) {
    this.reason = reason
    this.detail = detail
  }
}

/** Makes a refusal. */
export function refuse(reason: Reason, detail: string): Refusal {
  return new RefusalRecord(reason, detail)
}

/** Tells a refusal from whatever else a check can give. */
export function isRefusal<T>(outcome: T | Refusal): outcome is Refusal {
  return outcome instanceof RefusalRecord
}
