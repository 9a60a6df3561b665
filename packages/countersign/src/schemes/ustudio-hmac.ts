import type { Body } from '../message/body.ts'
import { fieldValues } from '../message/field-lines.ts'
import type { Message, RequestMessage } from '../message/message.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import { pathOf, queryOf } from '../message/target.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Refusal } from '../reasons/reasons.ts'
import { refuse } from '../reasons/reasons.ts'
import type { Warning } from '../reasons/warnings.ts'
import { ask, type Steps } from '../steps/steps.ts'
import { compareCodePoints } from '../text/code-point-order.ts'
import { formDecode, percentEncoder } from '../text/percent.ts'
import type { Asked, Claim, Scheme } from './scheme.ts'

type QueryRule = 'compatible' | 'strict'

/** What `ustudioHmac` takes. */
export interface UstudioHmacOptions {
  /**
   * Which queries are signed and accepted. `compatible` (default) takes what the original takes, less the names through
   * which one signature fits two requests. `strict` also refuses what the canonical form evens out: a name repeated
   * with differing values (their order is not signed), malformed UTF-8, a name without `=`, empty parameters, a bare `?`.
   */
  readonly query?: QueryRule
}

const schemeName = 'ustudio-hmac'
const authScheme = 'USTUDIO-HMAC-V2'
const keyIdLimit = 256
const pairLimit = 1000
const covers: readonly string[] = ['@method', '@path', '@query', '@body']
const labels: readonly string[] = ['method', 'path', 'query']
const isDigest = /^[0-9a-f]{64}$/
const isKeyId = /^[\x21-\x7e]+$/

/**
 * Gives the scheme `USTUDIO-HMAC-V2` of uStudio's HMAC package for Tornado, to the byte: HMAC-SHA-256 in hex over
 * method, path, sorted query and body, in `Authorization`. It signs no time, nonce, host or field, so every signed
 * request can be replayed for ever. Key ids are 1 to 256 visible ASCII characters; a query has at most 1,000 parameters.
 * @throws CountersignError `config-invalid` where an option is not one of those listed.
 */
export function ustudioHmac(options: UstudioHmacOptions = {}): Scheme {
  const rule = options.query ?? 'compatible'
  if (rule !== 'compatible' && rule !== 'strict') {
    throw new CountersignError('config-invalid', "ustudioHmac: query must be 'compatible' or 'strict'")
  }
  return {
    name: schemeName,
    traits: {
      time: false,
      nonce: false,
      chosenCoverage: false,
      bodyInBase: true,
      uncovered: ['host', 'connection scheme', 'header fields', 'time', 'nonce', 'order of query parameters'],
    },
    algorithms: ['hmac-sha256'],
    encoding: 'hex',
    read: (message) => (message.kind === 'request' ? readClaim(message) : undefined),
    base: (message, _claim, context) => base(message, rule, context.limitBytes),
    // biome-ignore lint/correctness/useYield: everything this draft needs is at hand
    *draft({ message, keyId }) {
      if (message.kind !== 'request') {
        throw new CountersignError(
          'component-unavailable',
          'ustudio-hmac signs requests; a response was given',
        )
      }
      if (keyId.length > keyIdLimit || !isKeyId.test(keyId)) {
        throw new CountersignError(
          'config-invalid',
          'credential id: ustudio-hmac needs 1 to 256 visible ASCII characters without blanks',
        )
      }
      return { claim: claimOf(keyId, ''), message, set: [] }
    },
    write: ({ claim, set }, signature) => ({
      set: [...set, ['Authorization', `${authScheme} ${claim.keyId} ${signature}`]],
    }),
    challenge: () => [['WWW-Authenticate', authScheme]],
  }
}

function readClaim(message: RequestMessage): readonly Claim[] | Refusal | undefined {
  const values = fieldValues(message.fields, 'authorization')
  if (!values.some(isOurs)) return undefined
  const value = values[0] ?? ''
  if (values.length > 1) return malformed('Authorization stands on more than one line')
  if (!value.startsWith(`${authScheme} `))
    return malformed(`${authScheme} is not spelled so, with a space behind it`)
  const keyStart = authScheme.length + 1
  const keyEnd = value.indexOf(' ', keyStart)
  // Exactly three parts, split at single spaces: two in a row make a fourth, and a tab does not split.
  if (keyEnd < 0) return malformed('Authorization has fewer than three parts')
  if (keyEnd - keyStart > keyIdLimit) return malformed(`the key id is longer than ${keyIdLimit} characters`)
  const keyId = value.slice(keyStart, keyEnd)
  if (!isKeyId.test(keyId)) return malformed('the key id is not 1 to 256 visible ASCII characters')
  const digest = value.slice(keyEnd + 1)
  // Upper case would be the same bytes; the original compares text, so one digest has one spelling.
  if (!isDigest.test(digest)) return malformed('the digest is not 64 lower-case hex digits')
  return [claimOf(keyId, digest)]
}

/** Tells whether an Authorization value names this scheme, in any case and whatever follows. */
function isOurs(value: string): boolean {
  const word = value.slice(0, authScheme.length)
  if (word.toUpperCase() !== authScheme) return false
  const next = value.charAt(authScheme.length)
  return next === '' || next === ' ' || next === '\t' || next === ','
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}

const warnings: readonly Warning[] = ['host-uncovered', 'replayable']

function claimOf(keyId: string, signature: string): Claim {
  return {
    scheme: schemeName,
    keyId,
    algorithm: undefined,
    covers,
    createdAt: undefined,
    expiresAt: undefined,
    nonce: undefined,
    tag: undefined,
    label: undefined,
    signature,
    contentDigest: undefined,
    warnings,
  }
}

function base(message: Message, rule: QueryRule, limitBytes: number): Asked<SignatureBase | Refusal> {
  if (message.kind !== 'request') return refuse('component-missing', 'this scheme signs requests only')
  const query = canonicalQuery(queryOf(message.target), rule)
  if (typeof query !== 'string') return query
  // The target as sent: the original decodes and normalises nothing in front of the first `?`.
  const text = `${message.method}\n${pathOf(message.target)}\n${query}\n`
  const { body } = message
  if (body === undefined) return { text, labels }
  return body instanceof Uint8Array && body.length <= limitBytes
    ? { text, body, labels }
    : withBody(text, body, limitBytes)
}

function* withBody(text: string, body: Body, limitBytes: number): Steps<SignatureBase | Refusal> {
  const bytes = yield* ask({ kind: 'body', body, limitBytes })
  if (bytes instanceof Uint8Array) return { text, body: bytes, labels }
  return bytes.problem === 'too-large'
    ? refuse('body-too-large', `the body is over ${limitBytes} bytes`)
    : refuse('message-malformed', 'the body ended early')
}

interface Pair {
  readonly name: string
  readonly value: string
}

const quote = percentEncoder('/')

/** Gives the canonical query, or a refusal where another request could have the same one. `;` does not separate. */
function canonicalQuery(query: string | undefined, rule: QueryRule): string | Refusal {
  if (query === undefined) return ''
  if (rule === 'strict' && query === '') return ambiguous('a bare "?" signs as no query')
  const pairs: Pair[] = []
  let from = 0
  while (from <= query.length) {
    const and = query.indexOf('&', from)
    const to = and < 0 ? query.length : and
    if (to > from) {
      if (pairs.length === pairLimit) {
        return refuse('message-malformed', `the query has more than ${pairLimit} parameters`)
      }
      const piece = query.slice(from, to)
      const pair = pairOf(piece)
      const problem =
        problemOfName(pair.name) ?? (rule === 'strict' ? problemOfPiece(piece, pair) : undefined)
      if (problem !== undefined) return ambiguous(problem)
      pairs.push(pair)
    } else if (rule === 'strict') {
      return ambiguous('the query has an empty parameter')
    }
    from = to + 1
  }
  pairs.sort((a, b) => compareCodePoints(a.name, b.name) || compareCodePoints(a.value, b.value))
  if (rule === 'strict' && pairs.some((pair, i) => i > 0 && differsFrom(pair, pairs[i - 1]))) {
    return ambiguous('a parameter is repeated with differing values, whose order is not signed')
  }
  // The name is written decoded and not encoded again, as the original does.
  return pairs.map(({ name, value }) => `${name}=${quote(value)}`).join('&')
}

function pairOf(piece: string): Pair {
  const equals = piece.indexOf('=')
  return equals < 0
    ? { name: formDecode(piece), value: '' }
    : { name: formDecode(piece.slice(0, equals)), value: formDecode(piece.slice(equals + 1)) }
}

// An `=`, the characters a canonical value is written in, an `&`. The run stops at both marks, so a search is linear.
const wholeParameter = /=[A-Za-z0-9\-._~/%]*&/

/**
 * Says what is wrong with a name that could stand for something else in the canonical form, where names are not
 * encoded. A canonical value has no `=`, `&` or line feed, so without these names each canonical form has one
 * reading: cut at every `&` that ends a whole `=value`. A lone `&` or `=` in a name is harmless and stays accepted.
 */
function problemOfName(name: string): string | undefined {
  if (name.includes('\n'))
    return 'the name of a parameter has a line feed, which may have been part of the body'
  if (wholeParameter.test(name)) return 'the name of a parameter contains another parameter'
  return undefined
}

function problemOfPiece(piece: string, { name, value }: Pair): string | undefined {
  if (!piece.includes('=')) return 'a parameter has no "=" and signs as one with an empty value'
  if (name.includes('\ufffd') || value.includes('\ufffd')) return 'a parameter is malformed UTF-8'
  return undefined
}

function differsFrom(pair: Pair, before: Pair | undefined): boolean {
  return before !== undefined && pair.name === before.name && pair.value !== before.value
}

function ambiguous(detail: string): Refusal {
  return refuse('component-missing', detail)
}
