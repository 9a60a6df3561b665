import type { RequestMessage } from '../../message/message.ts'
import { applyPatch } from '../../message/patch.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { percentEncoder } from '../../text/percent.ts'
import type { Draft, DraftInput } from '../scheme.ts'
import type { FlaskHmacauthClaim } from './claim.ts'
import type { Settings } from './options.ts'
import { readParameters } from './parameters.ts'
import { claimToSign } from './read.ts'

// What the original leaves bare when it rebuilds a query, but `+`, which would be read as a space.
const quote = percentEncoder("!$'()*,;:")
const isKeyId = /^[\x20-\x2a\x2c-\x7e]{1,256}$/

/**
 * Decides what to sign: the request with TIMESTAMP and ACCOUNT_ID at the end of its query, where it has none yet.
 * @throws CountersignError `component-unavailable` where this scheme has no form for the request, `config-invalid` for an id
 * that a parameter cannot carry.
 */
export function draftSignature(input: DraftInput, settings: Settings): Draft<FlaskHmacauthClaim> {
  const { message, keyId } = input
  if (message.kind !== 'request') {
    throw new CountersignError('component-unavailable', 'flask-hmacauth signs requests; a response was given')
  }
  const query = missingParameters(message, input, settings)
  const sent = query === undefined ? message : applyPatch(message, { set: [], query })
  const claim = claimToSign(sent, keyId, settings)
  if (isRefusal(claim)) throw new CountersignError('component-unavailable', claim.detail)
  return { claim, message: sent, set: [], ...(query === undefined ? {} : { query }) }
}

function missingParameters(
  message: RequestMessage,
  { keyId, now }: DraftInput,
  settings: Settings,
): string | undefined {
  const { accountId, timestamp } = readParameters(message.parts.query ?? '')
  const added: string[] = []
  if (timestamp === undefined && settings.timestamp === undefined) added.push(`TIMESTAMP=${now}`)
  if (accountId === undefined && settings.keyId === undefined) {
    if (!isKeyId.test(keyId)) {
      throw new CountersignError(
        'config-invalid',
        'credential id: flask-hmacauth needs 1 to 256 characters of ASCII without "+"',
      )
    }
    // Last, so that the query ends in what no byte of the body can join without naming another account.
    added.push(`ACCOUNT_ID=${quote(keyId)}`)
  }
  return added.length === 0 ? undefined : added.join('&')
}
