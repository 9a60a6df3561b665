/**
 * The one canonical form that is signed and verified: `text` as UTF-8, then `body` as it is.
 * One string for the machine; `signatureBaseLines` cuts it into labelled lines for people.
 */
export interface SignatureBase {
  readonly text: string
  /** Content bytes that follow the text, in schemes that put the body under the MAC. */
  readonly body?: Uint8Array
  /** A label for each line of `text`, where the lines do not name themselves. */
  readonly labels?: readonly string[]
}

/** One line of a signature base, for people. */
export interface SignatureBaseLine {
  readonly label: string
  readonly text: string
}

/**
 * Cuts a signature base into its labelled lines. A line feed at the end ends the last line and starts none.
 * The body appears as its length, never as its content.
 */
export function signatureBaseLines(base: SignatureBase): readonly SignatureBaseLine[] {
  const text = base.text.endsWith('\n') ? base.text.slice(0, -1) : base.text
  const lines = text.split('\n').map((text, i) => ({ label: base.labels?.[i] ?? `line ${i + 1}`, text }))
  return base.body === undefined ? lines : [...lines, { label: 'body', text: `${base.body.length} bytes` }]
}
