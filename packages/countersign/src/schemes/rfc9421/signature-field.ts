import { type Refusal, refuse } from '../../reasons/reasons.ts'
import { maxSignatures } from './input.ts'

/** One member of a `Signature` field. RFC 9421 section 4.2. */
export interface LabelledSignature {
  readonly label: string
  /** What stands between the colons. Whether it is base64 is seen when it is compared or decoded. */
  readonly signature: string
}

/** Longest signature, in base64: that of RSA-8192. */
const maxSignatureLength = 1368
/** Longest `Signature` field that is looked at: eight signatures of RSA-4096 fit. */
const maxLength = 8192

/**
 * Reads a `Signature` field: byte sequences by label. A member that is not one, that has parameters, or whose label stands twice
 * refuses the whole field. RFC 9421 section 4.2.
 */
export function readSignatureField(value: string): readonly LabelledSignature[] | Refusal {
  if (value.length > maxLength) return malformed('is too long')
  let signatures: LabelledSignature[] | undefined
  let at = 0
  for (;;) {
    const equals = value.indexOf('=:', at)
    const close = equals < 0 ? -1 : value.indexOf(':', equals + 2)
    if (close < 0) return malformed('has a member that is not a byte sequence')
    const label = value.slice(at, equals)
    const signature = value.slice(equals + 2, close)
    if (signature.length > maxSignatureLength) return malformed('has a signature that is too long')
    if (signatures === undefined) signatures = [{ label, signature }]
    else {
      if (signatures.length === maxSignatures) return malformed(`has more than ${maxSignatures} members`)
      if (signatureOf(label, signatures) !== undefined) return malformed('has a label twice')
      signatures.push({ label, signature })
    }
    at = close + 1
    if (at === value.length) return signatures
    at = skipBlanks(value, at)
    if (value.charCodeAt(at) !== 44) return malformed('has something behind a byte sequence')
    at = skipBlanks(value, at + 1)
  }
}

/** Gives the signature of a label. */
export function signatureOf(label: string, signatures: readonly LabelledSignature[]): string | undefined {
  for (const one of signatures) if (one.label === label) return one.signature
  return undefined
}

function skipBlanks(value: string, start: number): number {
  let at = start
  while (value.charCodeAt(at) === 32 || value.charCodeAt(at) === 9) at++
  return at
}

function malformed(what: string): Refusal {
  return refuse('signature-malformed', `Signature ${what}`)
}
