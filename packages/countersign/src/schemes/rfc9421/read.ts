import { isFieldName, trimBlanks } from '../../message/field-lines.ts'
import type { Message } from '../../message/message.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import type { Rfc9421Claim } from './claim.ts'
import { readSignatureField, signatureOf } from './signature-field.ts'
import { readSignatureInput } from './signature-input.ts'

/** Name of the scheme in verdicts, logs and configuration. */
export const schemeName = 'rfc9421'

/** Longest line of the fields that are read here, in characters; their readers refuse it. */
const maxFieldLength = 8192

/** Longest key id, in characters. */
export const maxKeyIdLength = 256

/** Reads every signature of a message. Absent without `Signature-Input`: a lone `Signature` belongs to another scheme. */
export function readClaims(message: Message): readonly Rfc9421Claim[] | Refusal | undefined {
  const { fields } = message
  let inputText: string | undefined
  let signatureText: string | undefined
  let contentDigest: string | undefined
  // One pass for the three names; by length first, since nearly no other field has these lengths.
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    switch (name.length) {
      case 15:
        if (isFieldName(name, 'signature-input', 'Signature-Input'))
          inputText = joined(inputText, fields[i + 1])
        break
      case 9:
        if (isFieldName(name, 'signature', 'Signature')) signatureText = joined(signatureText, fields[i + 1])
        break
      case 14:
        if (isFieldName(name, 'content-digest', 'Content-Digest'))
          contentDigest = joined(contentDigest, fields[i + 1])
        break
    }
  }
  if (inputText === undefined) return undefined
  const inputs = readSignatureInput(inputText)
  if (isRefusal(inputs)) return inputs
  const signatures = readSignatureField(signatureText ?? '')
  if (isRefusal(signatures)) return signatures
  if (inputs.length !== signatures.length) {
    return refuse('signature-malformed', 'Signature and Signature-Input do not have the same labels')
  }
  // Arrays are begun with their first element throughout: an empty one grows to 17 places at its first push.
  let claims: Rfc9421Claim[] | undefined
  for (const input of inputs) {
    const signature = signatureOf(input.label, signatures)
    if (signature === undefined) {
      return refuse('signature-malformed', 'Signature and Signature-Input do not have the same labels')
    }
    if (input.keyid === undefined || input.keyid === '' || input.keyid.length > maxKeyIdLength) {
      return refuse('signature-malformed', `keyid is missing, empty or over ${maxKeyIdLength} characters`)
    }
    const claim: Rfc9421Claim = {
      scheme: schemeName,
      keyId: input.keyid,
      algorithm: input.alg,
      covers: input.coverage.ids,
      createdAt: input.created,
      expiresAt: input.expires,
      nonce: input.nonce,
      tag: input.tag,
      label: input.label,
      signature,
      contentDigest: input.coverage.coversDigest ? contentDigest : undefined,
      coverage: input.coverage,
      signatureParams: input.signatureParams,
    }
    if (claims === undefined) claims = [claim]
    else claims.push(claim)
  }
  return claims
}

/** RFC 9110 section 5.2: lines of one field are joined by comma and space. */
function joined(before: string | undefined, line: string | undefined): string {
  // What is too long to be read is not searched for blanks either.
  const value = line === undefined || line.length > maxFieldLength ? (line ?? '') : trimBlanks(line)
  return before === undefined ? value : `${before}, ${value}`
}
