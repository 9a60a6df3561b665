import type { Message } from '../../message/message.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Rfc9421Claim } from './claim.ts'
import type { Reading } from './reading.ts'

/** Builds the signature base of a message under a claim, always from the message itself. RFC 9421 section 2.5. */
export function signatureBase(
  message: Message,
  claim: Pick<Rfc9421Claim, 'coverage' | 'signatureParams'>,
  reading: Reading,
): SignatureBase | Refusal {
  const { components } = claim.coverage
  const lines = new Array<string>(components.length + 1)
  let length = claim.signatureParams.length
  let at = 0
  for (const component of components) {
    const value = component.read(message, reading)
    if (typeof value !== 'string') return value
    length += component.prefix.length + value.length
    if (length > reading.textLimit) return refuse('component-missing', 'what is covered is too long')
    lines[at++] = component.prefix + value
  }
  lines[at] = `"@signature-params": ${claim.signatureParams}`
  // Joined and not added up: the HMAC needs one flat string, and flattening a chain of additions costs more than this.
  return { text: lines.join('\n') }
}
