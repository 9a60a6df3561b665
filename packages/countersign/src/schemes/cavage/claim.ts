import type { Claim } from '../scheme.ts'

/** Name of the scheme in verdicts, logs and configuration, in every profile: one signature is one, whoever reads it. */
export const schemeName = 'cavage'

/** What a Cavage signature says of itself. */
export interface CavageClaim extends Claim {
  /** The `headers` list, in order. */
  readonly names: readonly string[]
  /** The parameters as sent: they are signed as text. */
  readonly created: string | undefined
  readonly expires: string | undefined
  /** The `algorithm` parameter as sent. */
  readonly algorithmText: string | undefined
}
