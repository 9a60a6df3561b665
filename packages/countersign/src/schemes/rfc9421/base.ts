import type { Message } from '../../message/message.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { isRefusal, type Refusal } from '../../reasons/reasons.ts'
import type { Rfc9421Claim } from './claim.ts'
import type { StructuredTypes } from './field.ts'

/** Builds the signature base of a message under a claim, always from the message itself. RFC 9421 section 2.5. */
export function signatureBase(
  message: Message,
  claim: Pick<Rfc9421Claim, 'coverage' | 'signatureParams'>,
  types: StructuredTypes,
): SignatureBase | Refusal {
  let text = ''
  for (const component of claim.coverage.components) {
    const value = component.read(message, types)
    if (isRefusal(value)) return value
    text += `${component.prefix}${value}\n`
  }
  return { text: `${text}"@signature-params": ${claim.signatureParams}` }
}
