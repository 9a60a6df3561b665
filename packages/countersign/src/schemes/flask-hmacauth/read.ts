import { hashes } from '../../algorithms/hashes.ts'
import { utf8DecodeLossy } from '../../bytes/utf8.ts'
import { bodyRefusal } from '../../digest/content-digest.ts'
import { hasContent } from '../../message/body.ts'
import { fieldValues } from '../../message/field-lines.ts'
import { formType, urlencodedForm } from '../../message/form.ts'
import type { Message, RequestMessage } from '../../message/message.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Warning } from '../../reasons/warnings.ts'
import { ask, type Steps } from '../../steps/steps.ts'
import type { BaseContext } from '../scheme.ts'
import type { FlaskHmacauthClaim, QueryEnd } from './claim.ts'
import type { FlaskHmacauthForm, Settings } from './options.ts'
import { readParameters, type SignerParameters } from './parameters.ts'
import { rebuildTarget } from './target.ts'
import { isPlainTimestamp, readTimestamp } from './timestamp.ts'

/** Name of the scheme. */
export const schemeName = 'flask-hmacauth'

const keyIdLimit = 256
const isKeyId = /^[\x20-\x7e]+$/
const covers: readonly string[] = ['@path', '@query']
const coversWithBody: readonly string[] = [...covers, '@body']
// Methods whose content an honest client of the original sends unsigned.
const withUnsignedContent: readonly string[] = ['PUT', 'PATCH', 'DELETE']

/** Reads the claim of a request; `undefined` where it has no signature, or where the content may say whose it is. */
export function readClaims(
  message: Message,
  settings: Settings,
): readonly FlaskHmacauthClaim[] | Refusal | undefined {
  if (message.kind !== 'request') return undefined
  const signature = readSignature(message, settings)
  if (signature === undefined || isRefusal(signature)) return signature
  const parameters = readParameters(message.parts.query ?? '')
  if (mayBeInForm(message, parameters, settings)) return undefined
  const claim = claimOf(message, signature, parameters, settings)
  return isRefusal(claim) ? claim : [claim]
}

/** Reads the claim of a request whose form says who signed or when. Only where `form-parameters` are admitted. */
export function* readFormClaims(
  message: Message,
  settings: Settings,
  { limitBytes }: BaseContext,
): Steps<readonly FlaskHmacauthClaim[] | Refusal | undefined> {
  if (message.kind !== 'request') return undefined
  const signature = readSignature(message, settings)
  if (signature === undefined || isRefusal(signature)) return signature
  const inQuery = readParameters(message.parts.query ?? '')
  if (!mayBeInForm(message, inQuery, settings)) return undefined
  const bytes = yield* ask({ kind: 'body', body: message.body, limitBytes })
  if (!(bytes instanceof Uint8Array)) return bodyRefusal(bytes.problem, limitBytes)
  const inForm = readParameters(utf8DecodeLossy(bytes))
  const parameters: SignerParameters = {
    accountId: inQuery.accountId ?? inForm.accountId,
    timestamp: inQuery.timestamp ?? inForm.timestamp,
    repeated: inQuery.repeated || inForm.repeated,
    last: undefined,
  }
  const claim = claimOf(message, signature, parameters, settings, {
    signsContent: false,
    warnings: [
      'compatible',
      'content-uncovered',
      ...(inQuery.timestamp === undefined ? (['replayable'] as const) : []),
    ],
  })
  return isRefusal(claim) ? claim : [claim]
}

/** Makes the claim of a request that is about to be signed. */
export function claimToSign(
  message: RequestMessage,
  keyId: string,
  settings: Settings,
): FlaskHmacauthClaim | Refusal {
  const signature = '0'.repeat(2 * hashes[settings.digest].digestBytes)
  const claim = claimOf(message, signature, readParameters(message.parts.query ?? ''), settings)
  if (isRefusal(claim)) return claim
  return claim.keyId === keyId
    ? claim
    : refuse('component-missing', 'the request names another account than the credential')
}

function readSignature(message: RequestMessage, settings: Settings): string | Refusal | undefined {
  const { signatureHeader, digest } = settings
  let value: string | undefined
  if (settings.signature === undefined) {
    const values = fieldValues(message.fields, signatureHeader.toLowerCase())
    if (values.length > 1) return malformed(`${signatureHeader} stands on more than one line`)
    value = values[0]
  } else {
    const found = extracted(settings.signature, message)
    if (isRefusal(found)) return found
    value = found
  }
  if (value === undefined) return undefined
  const length = 2 * hashes[digest].digestBytes
  // Upper case would be the same bytes; the original compares text, so one digest has one spelling.
  return value.length === length && /^[0-9a-f]+$/.test(value)
    ? value
    : malformed(`the signature is not ${length} lower-case hex digits`)
}

function mayBeInForm(message: RequestMessage, parameters: SignerParameters, settings: Settings): boolean {
  const { accountId, timestamp } = parameters
  const isMissing =
    (accountId === undefined && settings.keyId === undefined) ||
    (timestamp === undefined && settings.timestamp === undefined)
  return (
    isMissing &&
    settings.compatible.has('form-parameters') &&
    message.method !== 'GET' &&
    hasContent(message.body) &&
    formType(message.fields) === urlencodedForm
  )
}

/** What is known of the content of a request before its signature is looked at. */
interface ContentRule {
  readonly signsContent: boolean
  readonly warnings: readonly Warning[]
}

function claimOf(
  message: RequestMessage,
  signature: string,
  parameters: SignerParameters,
  settings: Settings,
  fromForm?: ContentRule,
): FlaskHmacauthClaim | Refusal {
  const createdAt = readTime(message, parameters, settings)
  if (isRefusal(createdAt)) return createdAt
  const keyId = readKeyId(message, parameters, settings)
  if (isRefusal(keyId)) return keyId
  if (!settings.methods.includes(message.method)) {
    return refuse('coverage-missing', 'the scheme does not sign the method, and this one is not accepted')
  }
  const content = fromForm ?? contentRule(message, settings)
  if (isRefusal(content)) return content
  const target = rebuildTarget(message.parts)
  if (isRefusal(target)) return target
  const forms: readonly FlaskHmacauthForm[] = parameters.repeated
    ? ['repeated-parameters', ...target.evened]
    : target.evened
  const refused = forms.find((form) => !settings.compatible.has(form))
  if (refused !== undefined) {
    return refuse('component-missing', `the request has another reading under the same signature: ${refused}`)
  }
  if (settings.strict && !target.asSent) {
    return refuse('component-missing', 'the target is not signed as it was sent')
  }
  const { signsContent } = content
  const anyBody = settings.compatible.has('ambiguous-bodies')
  const isCompatible =
    forms.length > 0 || (anyBody && signsContent && hasContent(message.body) && fromForm === undefined)
  const warnings: Warning[] = ['host-uncovered', 'method-uncovered', ...content.warnings]
  if (isCompatible && !warnings.includes('compatible')) warnings.push('compatible')
  return {
    scheme: schemeName,
    keyId,
    algorithm: undefined,
    covers: signsContent ? coversWithBody : covers,
    createdAt,
    expiresAt: undefined,
    nonce: settings.singleUse ? signature : undefined,
    tag: undefined,
    label: undefined,
    signature,
    contentDigest: undefined,
    warnings,
    target: target.text,
    signsContent,
    queryEnd: anyBody ? undefined : queryEndOf(parameters, settings),
  }
}

function contentRule(message: RequestMessage, settings: Settings): ContentRule | Refusal {
  const { compatible, strict } = settings
  const { method } = message
  const isForm = method === 'POST' && formType(message.fields) !== undefined
  if (method === 'POST' && !isForm) return { signsContent: true, warnings: [] }
  if (!hasContent(message.body)) return { signsContent: method === 'POST', warnings: [] }
  if (isForm) {
    return compatible.has('unsigned-forms')
      ? { signsContent: false, warnings: ['compatible', 'content-uncovered'] }
      : refuse('coverage-missing', 'the scheme does not sign the content of a form')
  }
  if (!strict && withUnsignedContent.includes(method)) {
    return { signsContent: false, warnings: ['content-uncovered'] }
  }
  return compatible.has('unsigned-content')
    ? { signsContent: false, warnings: ['compatible', 'content-uncovered'] }
    : refuse('coverage-missing', `the scheme does not sign the content of ${method}`)
}

function readTime(
  message: RequestMessage,
  parameters: SignerParameters,
  { timestamp, strict }: Settings,
): number | Refusal {
  const found = timestamp === undefined ? parameters.timestamp : extracted(timestamp, message)
  if (isRefusal(found)) return found
  if (found === undefined) return refuse('created-missing', 'TIMESTAMP is missing')
  if (typeof found === 'number') {
    return Number.isFinite(found) ? Math.floor(found) : malformed('the time is not a number of seconds')
  }
  const seconds = strict && !isPlainTimestamp(found) ? undefined : readTimestamp(found)
  return seconds ?? malformed('TIMESTAMP is not in seconds since the epoch')
}

function readKeyId(
  message: RequestMessage,
  parameters: SignerParameters,
  { keyId }: Settings,
): string | Refusal {
  const found =
    keyId === undefined ? parameters.accountId : typeof keyId === 'string' ? keyId : extracted(keyId, message)
  if (isRefusal(found)) return found
  if (found === undefined) return malformed('ACCOUNT_ID is missing')
  return found.length <= keyIdLimit && isKeyId.test(found)
    ? found
    : malformed(`the account id is not 1 to ${keyIdLimit} characters of ASCII`)
}

function queryEndOf({ last, repeated }: SignerParameters, { keyId, timestamp }: Settings): QueryEnd {
  // Of two the first counts, so the last one can be made longer or shorter at will.
  if (repeated) return 'other'
  if (last?.name === 'ACCOUNT_ID' && keyId === undefined) return 'account-id'
  if (last?.name !== 'TIMESTAMP' || timestamp !== undefined) return 'other'
  return isPlainTimestamp(last.value) ? 'plain-timestamp' : 'timestamp'
}

/** Calls a function of the options. One that throws on a request it did not expect must not end the verification. */
function extracted<T>(find: (request: RequestMessage) => T, message: RequestMessage): T | Refusal {
  try {
    return find(message)
  } catch {
    return malformed('a function of the options failed on this request')
  }
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}
