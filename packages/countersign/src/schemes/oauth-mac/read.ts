import { isBase64 } from '../../bytes/base64.ts'
import { hasContent } from '../../message/body.ts'
import { fieldValues } from '../../message/field-lines.ts'
import type { Message, RequestMessage } from '../../message/message.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Warning } from '../../reasons/warnings.ts'
import { type OauthMacClaim, schemeName } from './claim.ts'
import type { OauthMacProfile, Settings } from './options.ts'
import { isOurs, type Parameters, readParameters } from './parameters.ts'
import { signedTarget } from './target.ts'

const covered: Readonly<Record<OauthMacProfile, readonly string[]>> = {
  'draft-01': ['@method', '@request-target', '@authority'],
  'django-auth-mac': ['@method', '@path', '@authority'],
}

/** Seconds of the last instant with a year of four digits: what is above counts in milliseconds or in nothing at all. */
const timestampMost = 253_402_300_799

/** Reads the claim on a request. Whatever can be refused without the key is refused here, so that refusals tell nothing of keys. */
export function readClaim(
  message: Message,
  settings: Settings,
): readonly OauthMacClaim[] | Refusal | undefined {
  if (message.kind !== 'request') return undefined
  const values = fieldValues(message.fields, 'authorization')
  if (!values.some(isOurs)) return undefined
  if (values.length > 1) return malformed('Authorization stands on more than one line')
  const parameters = readParameters(values[0] ?? '', settings.compatible)
  if (isRefusal(parameters)) return parameters
  // Known here and not at the comparison, where only a known key would get as far.
  if (!isBase64(parameters.mac)) return malformed('mac is not canonical base64')
  const timestamp = readTimestamp(parameters.ts, settings)
  if (timestamp === undefined) return malformed('ts is not a positive whole number of seconds')
  const target = signedTarget(message, settings)
  if (isRefusal(target)) return target
  const offset = offsetOf(parameters.id, settings)
  if (offset === undefined) return refuse('store-unavailable', 'clockOffsetSeconds gave no whole number')
  const createdAt = settings.compatible.has('any-time') ? undefined : timestamp.seconds + offset
  const isLoose = parameters.isLoose || timestamp.isLoose || target.hasEncodedSlash
  const warnings = warningsOf(message, parameters, { settings, isLoose })
  return [claimOf({ parameters, settings, timestamp: timestamp.seconds, createdAt, warnings })]
}

/** What a claim is made of, read or drafted. */
export interface ClaimParts {
  readonly parameters: Omit<Parameters, 'isLoose'>
  readonly settings: Settings
  readonly timestamp: number
  readonly createdAt: number | undefined
  readonly warnings: readonly Warning[]
}

/** Makes a claim. */
export function claimOf({ parameters, settings, timestamp, createdAt, warnings }: ClaimParts): OauthMacClaim {
  const { id, ts, nonce, ext, mac } = parameters
  return {
    scheme: schemeName,
    keyId: id,
    algorithm: undefined,
    covers: covered[settings.profile],
    createdAt,
    expiresAt: undefined,
    // Draft-01 section 3.1: unique together with the timestamp. Digits come first, so no two pairs give one text; `01` is `1`.
    nonce: `${timestamp}:${nonce}`,
    tag: undefined,
    label: undefined,
    signature: mac,
    contentDigest: undefined,
    warnings,
    ts,
    timestamp,
    sentNonce: nonce,
    ext,
    signedExt: settings.compatible.has('unsigned-ext') ? '' : ext,
  }
}

interface Timestamp {
  readonly seconds: number
  /** A form was met that only an option admits. */
  readonly isLoose: boolean
}

/**
 * Reads `ts`: digits. Draft-01 section 3.1 forbids leading zeros; the original takes them, and blanks and a sign, since it reads
 * whole numbers as Python does.
 */
function readTimestamp(ts: string, { profile, compatible }: Settings): Timestamp | undefined {
  let start = 0
  let end = ts.length
  if (compatible.has('loose-timestamp')) {
    while (ts.charCodeAt(start) === 32) start++
    while (end > start && ts.charCodeAt(end - 1) === 32) end--
    if (ts.charCodeAt(start) === 43) start++
  }
  if (start === end || (profile === 'draft-01' && ts.charCodeAt(start) === 48)) return undefined
  let seconds = 0
  for (let i = start; i < end; i++) {
    const digit = ts.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    seconds = seconds * 10 + digit
    if (seconds > timestampMost) return undefined
  }
  return { seconds, isLoose: end - start !== ts.length }
}

function offsetOf(keyId: string, { clockOffsetSeconds }: Settings): number | undefined {
  if (clockOffsetSeconds === undefined) return 0
  try {
    const offset = clockOffsetSeconds(keyId) ?? 0
    return Number.isSafeInteger(offset) ? offset : undefined
  } catch {
    return undefined
  }
}

function warningsOf(
  message: RequestMessage,
  { ext }: Parameters,
  { settings, isLoose }: { readonly settings: Settings; readonly isLoose: boolean },
): readonly Warning[] {
  const { profile, compatible } = settings
  const anyTime = compatible.has('any-time')
  const warnings: Warning[] = []
  if (isLoose || anyTime || (ext !== '' && compatible.has('unsigned-ext'))) warnings.push('compatible')
  if (hasContent(message.body)) warnings.push('content-uncovered')
  const { query } = message.parts
  if (profile === 'django-auth-mac' && query !== undefined && query !== '') warnings.push('query-uncovered')
  if (anyTime) warnings.push('time-unchecked')
  return warnings
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}
