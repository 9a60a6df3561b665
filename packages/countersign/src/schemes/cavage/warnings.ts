import { readDigestHeader } from '../../digest/digest-header.ts'
import { hasContent } from '../../message/body.ts'
import type { RequestMessage } from '../../message/message.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import type { Warning } from '../../reasons/warnings.ts'
import type { Settings } from './options.ts'
import { hasEscapedDelimiter, signsDigest, targetCoverage } from './target.ts'

/** What of a claim decides what it leaves open. */
interface Facts {
  readonly names: readonly string[]
  readonly digestHeader: string | undefined
  readonly createdAt: number | undefined
  /** A form was met that only an option admits. */
  readonly isLoose: boolean
}

/** Gives what a signature leaves open even if it stands. What no option admits is refused by the base, whatever is said here. */
export function warningsFor(
  message: RequestMessage,
  facts: Facts,
  settings: Settings,
): readonly Warning[] | undefined {
  const warnings = new Set<Warning>()
  if (facts.isLoose) warnings.add('compatible')
  if (facts.createdAt === undefined) warnings.add('replayable')
  if (standsOnWeakDigest(facts.digestHeader, settings)) warnings.add('compatible').add('weak-algorithm')
  if (settings.isFlask) addFlaskWarnings(message, facts, warnings)
  return warnings.size === 0 ? undefined : [...warnings]
}

function addFlaskWarnings(
  { method, parts, body }: RequestMessage,
  { names }: Facts,
  warnings: Set<Warning>,
): void {
  const { path, query = '' } = parts
  const isOfPath = targetCoverage({ isFlask: true }, method) === 'path'
  const isOther = isOfPath && !signsDigest(method)
  if (isOther || query.endsWith('?') || hasEscapedDelimiter(path)) warnings.add('compatible')
  if (isOfPath && query !== '') warnings.add('compatible').add('query-uncovered')
  // GET, HEAD and DELETE have no digest in the lists of this profile, and old clients do send content with them.
  if (!names.includes('digest') && !signsDigest(method) && hasContent(body)) warnings.add('content-uncovered')
}

function standsOnWeakDigest(digestHeader: string | undefined, { digestHashes }: Settings): boolean {
  if (digestHeader === undefined || digestHashes === undefined) return false
  const read = readDigestHeader(digestHeader, digestHashes)
  return !isRefusal(read) && read.hashNames.every((hash) => hash === 'sha1' || hash === 'md5')
}
