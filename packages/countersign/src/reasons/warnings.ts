/** What an accepted message leaves open, because its scheme or a named option for old clients allows no better. Stable codes. */
export type Warning =
  | 'compatible'
  | 'content-uncovered'
  | 'host-uncovered'
  | 'method-uncovered'
  | 'path-uncovered'
  | 'query-uncovered'
  | 'replayable'
  | 'time-unchecked'
  | 'weak-algorithm'

/** What each warning means, for logs, metrics and docs/reasons.md. */
export const warnings: Readonly<Record<Warning, string>> = {
  compatible:
    'A form of an old client was accepted by a `compatible` option; the scheme by default refuses it.',
  'content-uncovered': 'There is content that the signature does not cover.',
  'host-uncovered':
    'The signature says nothing of the host: the same request fits every service that knows the key.',
  'method-uncovered': 'The signature says nothing of the method.',
  'path-uncovered': 'The signature says nothing of the path.',
  'query-uncovered': 'There is a query that the signature does not cover.',
  replayable: 'Neither a time nor a nonce is signed: whoever sees the request can send it again.',
  'time-unchecked':
    'No limit was set to the age of the signature: a copy is held off only as long as its nonce is remembered.',
  'weak-algorithm': 'The signature or digest stands on SHA-1 or MD5.',
}
