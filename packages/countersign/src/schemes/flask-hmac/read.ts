import { hasContent } from '../../message/body.ts'
import { fieldCount, fieldValues } from '../../message/field-lines.ts'
import { formType } from '../../message/form.ts'
import type { Message, RequestMessage } from '../../message/message.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Warning } from '../../reasons/warnings.ts'
import type { Claim } from '../scheme.ts'
import { wsgiPath } from '../wsgi-path.ts'
import type { Settings } from './options.ts'
import { readValue } from './value.ts'

/** Name of the scheme, in all its variants. */
export const schemeName = 'flask-hmac'

/** A claim with what is signed. */
export interface FlaskHmacClaim extends Claim {
  /** The decoded path, or nothing. */
  readonly signedText: string
  readonly signsContent: boolean
}

/** Reads the claim of a request; `undefined` where it has no such signature. */
export function readClaims(
  message: Message,
  settings: Settings,
): readonly FlaskHmacClaim[] | Refusal | undefined {
  if (message.kind !== 'request') return undefined
  const { header } = settings
  const lowerName = header.toLowerCase()
  const values = fieldValues(message.fields, lowerName)
  const [value] = values
  if (value === undefined) return undefined
  // `Signature` is also the field of RFC 9421, which never stands without `Signature-Input`.
  if (lowerName === 'signature' && fieldCount(message.fields, 'signature-input') > 0) return undefined
  if (values.length > 1) return malformed(`${header} stands on more than one line`)
  const read = readValue(value, settings)
  if (typeof read === 'string') return malformed(read)
  const claim = claimOf(message, read.name ?? settings.keyId, read.mac, settings)
  return isRefusal(claim) ? claim : [claim]
}

/** Makes the claim of a request under a signature, or under one that is still to be made. */
export function claimOf(
  message: RequestMessage,
  keyId: string,
  signature: string,
  settings: Settings,
): FlaskHmacClaim | Refusal {
  const signed = settings.covers === 'path' ? signedPath(message, settings) : signedBody(message, settings)
  if (isRefusal(signed)) return signed
  const { covers, signedText, signsContent, warnings } = signed
  const all: Warning[] = ['host-uncovered', 'method-uncovered', 'replayable', ...warnings]
  if ((message.parts.query ?? '') !== '') all.push('query-uncovered')
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
    warnings: all,
    signedText,
    signsContent,
  }
}

interface Signed extends Pick<FlaskHmacClaim, 'covers' | 'signedText' | 'signsContent'> {
  readonly warnings: readonly Warning[]
}

function signedPath({ parts, body }: RequestMessage, { compatible }: Settings): Signed | Refusal {
  if (parts.form !== 'origin' && parts.form !== 'absolute') {
    return refuse('component-missing', 'this scheme signs targets that have a path')
  }
  const path = wsgiPath(parts.path)
  if (isRefusal(path)) return path
  const refused = path.evened.find((form) => !compatible.has(form))
  if (refused !== undefined) {
    return refuse('component-missing', `the request has another reading under the same signature: ${refused}`)
  }
  const warnings: Warning[] = path.evened.length > 0 ? ['compatible'] : []
  if (hasContent(body)) warnings.push('content-uncovered')
  return { covers: ['@path'], signedText: path.text, signsContent: false, warnings }
}

function signedBody({ fields, body }: RequestMessage, { compatible }: Settings): Signed | Refusal {
  if (!hasContent(body) || formType(fields) === undefined) {
    return { covers: ['@body'], signedText: '', signsContent: true, warnings: ['path-uncovered'] }
  }
  return compatible.has('unsigned-forms')
    ? {
        covers: [],
        signedText: '',
        signsContent: false,
        warnings: ['path-uncovered', 'compatible', 'content-uncovered'],
      }
    : refuse('coverage-missing', 'the scheme does not sign the content of a form')
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}
