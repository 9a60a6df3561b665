/**
 * Lower-case names of fields that hold one value. Two lines of these have no agreed meaning, and joining them would let a second
 * line ride on the signature of the first. RFC 9421 section 7.5.6.
 */
export const singleFields: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-location',
  'content-type',
  'date',
  'digest',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'set-cookie',
  'user-agent',
])
