import { bodyRefusal } from '../../digest/content-digest.ts'
import type { Body } from '../../message/body.ts'
import type { Message } from '../../message/message.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'
import { ask, type Steps } from '../../steps/steps.ts'
import type { Asked } from '../scheme.ts'
import type { FlaskHmacauthClaim, QueryEnd } from './claim.ts'
import { isQueryByte } from './target.ts'

const labels: readonly string[] = ['target']

/** Gives the signed bytes: the rebuilt target and, right behind it, the body of a POST. */
export function signatureBase(
  { body }: Message,
  claim: FlaskHmacauthClaim,
  limitBytes: number,
): Asked<SignatureBase | Refusal> {
  if (!claim.signsContent || body === undefined) return { text: claim.target, labels }
  return body instanceof Uint8Array && body.length <= limitBytes
    ? withBody(claim, body)
    : withLateBody(claim, body, limitBytes)
}

function* withLateBody(
  claim: FlaskHmacauthClaim,
  body: Body,
  limitBytes: number,
): Steps<SignatureBase | Refusal> {
  const bytes = yield* ask({ kind: 'body', body, limitBytes })
  return bytes instanceof Uint8Array ? withBody(claim, bytes) : bodyRefusal(bytes.problem, limitBytes)
}

function withBody({ target, queryEnd }: FlaskHmacauthClaim, body: Uint8Array): SignatureBase | Refusal {
  const first = body[0]
  if (first !== undefined && queryEnd !== undefined && couldJoin(queryEnd, first)) {
    return refuse('component-missing', 'the body could be part of the query: nothing stands between them')
  }
  return { text: target, body, labels }
}

const ampersand = 38
// `.` `e` `E` `+` `%` `-` `_`: what may stand behind the digits of a number, escaped or not.
const numberBytes: readonly number[] = [46, 101, 69, 43, 37, 45, 95]

/**
 * Tells whether the same bytes could be cut elsewhere into a query and a body that pass. No first byte of a body may allow it
 * at the end of any query, so of all cuts at most one stands.
 */
function couldJoin(queryEnd: QueryEnd, first: number): boolean {
  if (first === ampersand) return true
  switch (queryEnd) {
    case 'account-id':
      return false
    case 'plain-timestamp':
      return numberBytes.includes(first)
    case 'timestamp':
      return numberBytes.includes(first) || (first >= 48 && first <= 57)
    case 'other':
      return isQueryByte(first)
    default:
      return queryEnd satisfies never
  }
}
