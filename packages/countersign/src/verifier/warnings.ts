import { signatureAlgorithms } from '../algorithms/signatures.ts'
import { algorithmFor } from '../policy/algorithm.ts'
import { isRefusal } from '../reasons/reasons.ts'
import type { Warning } from '../reasons/warnings.ts'
import type { Scheme } from '../schemes/scheme.ts'
import type { Stood } from './judgement.ts'

const none: readonly Warning[] = []

/** Gives the schemes that may stand on a weak algorithm: only their verdicts have to be looked at for it. */
export function schemesWithWeakAlgorithms(schemes: readonly Scheme[]): ReadonlySet<Scheme> {
  return new Set(schemes.filter(({ algorithms }) => algorithms.some(isLegacy)))
}

/** Gives what a proven message leaves open: what its claim says, and the algorithm of the credential where that is weak. */
export function warningsOf(
  { scheme, claim, credential }: Stood,
  withWeak: ReadonlySet<Scheme>,
): readonly Warning[] {
  const warnings = claim.warnings ?? none
  if (!withWeak.has(scheme) || warnings.includes('weak-algorithm')) return warnings
  // A claim is read before its credential is known, so the scheme itself cannot tell.
  const algorithm = algorithmFor(scheme, credential, claim.algorithm, undefined)
  return isRefusal(algorithm) || algorithm.status !== 'legacy' ? warnings : [...warnings, 'weak-algorithm']
}

function isLegacy(name: string): boolean {
  return signatureAlgorithms.get(name)?.status === 'legacy'
}
