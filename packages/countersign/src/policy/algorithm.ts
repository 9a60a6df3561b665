import { type SignatureAlgorithm, signatureAlgorithms } from '../algorithms/signatures.ts'
import type { KnownCredential } from '../credentials/known.ts'
import { type Refusal, refuse } from '../reasons/reasons.ts'

/** What of a scheme decides the algorithm. */
export interface AlgorithmChoice {
  /** Names the scheme may use; the first that fits the key is its default. */
  readonly algorithms: readonly string[]
  /** Whether a message may choose where a credential is bound to no algorithm. Default false. See `Scheme.messageChooses`. */
  readonly messageChooses?: boolean
}

/**
 * Gives the one algorithm of a credential under a scheme. What the message claims may only confirm it, never choose:
 * else a public key's text would serve as an HMAC secret. RFC 9421 section 7.3.6. Where a scheme lets messages choose, they do so
 * among the current algorithms of the credential's own kind of key.
 */
export function algorithmFor(
  scheme: AlgorithmChoice,
  credential: KnownCredential,
  claimed: string | undefined,
  allowed: readonly string[] | undefined,
): SignatureAlgorithm | Refusal {
  const row = chosenAlgorithm(scheme, credential, claimed) ?? boundAlgorithm(scheme, credential)
  if (row === undefined) return refuse('algorithm-refused', 'the credential has no algorithm of this scheme')
  if (claimed !== undefined && claimed !== row.name) {
    return refuse(
      'algorithm-refused',
      `the credential is bound to ${row.name}, the message names another algorithm`,
    )
  }
  if (allowed !== undefined && !allowed.includes(row.name)) {
    return refuse('algorithm-refused', `${row.name} is not allowed by the policy`)
  }
  return row
}

function chosenAlgorithm(
  { algorithms, messageChooses }: AlgorithmChoice,
  { algorithm, identifiedKey }: KnownCredential,
  claimed: string | undefined,
): SignatureAlgorithm | undefined {
  if (messageChooses !== true || algorithm !== undefined || claimed === undefined) return undefined
  const row = algorithms.includes(claimed) ? signatureAlgorithms.get(claimed) : undefined
  return row?.status === 'current' && row.keyKind === (identifiedKey?.kind ?? 'secret') ? row : undefined
}

function boundAlgorithm(
  scheme: AlgorithmChoice,
  credential: KnownCredential,
): SignatureAlgorithm | undefined {
  const kind = credential.identifiedKey?.kind ?? 'secret'
  if (credential.algorithm !== undefined) {
    const row = signatureAlgorithms.get(credential.algorithm)
    return row?.keyKind === kind && scheme.algorithms.includes(row.name) ? row : undefined
  }
  for (const name of scheme.algorithms) {
    const row = signatureAlgorithms.get(name)
    if (row?.keyKind === kind) return row
  }
  return undefined
}
