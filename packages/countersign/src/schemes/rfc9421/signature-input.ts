import { type Refusal, refuse } from '../../reasons/reasons.ts'
import { readAnyInput } from './any-input.ts'
import type { SignatureInput } from './input.ts'
import { readPlainInput } from './plain-input.ts'

/** Longest `Signature-Input` that is looked at; eight generous signatures fit. */
const maxLength = 4096

/**
 * Reads a `Signature-Input` field. Nearly all signers write one plain form, which is read in a single pass; whatever else is legal
 * RFC 9651 goes the long way through the structured-field parser and comes to the same result.
 */
export function readSignatureInput(value: string): readonly SignatureInput[] | Refusal {
  if (value.length > maxLength) return refuse('signature-malformed', 'Signature-Input is too long')
  return readPlainInput(value) ?? readAnyInput(value)
}
