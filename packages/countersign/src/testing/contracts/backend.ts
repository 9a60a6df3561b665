import type { Backend } from '../../crypto/backend.ts'
import type { BackendBehaviour } from './backend-check.ts'
import { digestBehaviours } from './backend-digests.ts'
import { macBehaviours } from './backend-macs.ts'
import { keyBehaviours } from './backend-refusals.ts'
import { signatureBehaviours } from './backend-signatures.ts'

export type { BackendBehaviour } from './backend-check.ts'

/** What is known of a backend before it is tried. */
export interface BackendContractOptions {
  /** Names of asymmetric algorithms that the runtime cannot compute; they must be refused as such. Default none. */
  readonly lacks?: readonly string[]
}

/**
 * What every cryptographic backend must do, as behaviours to be run by any test runner: published values of RFC 2202,
 * RFC 4231, FIPS 180-2 and RFC 9421, refusals, weak keys, randomness. Takes a few seconds in all.
 */
export function backendContract(
  backend: Backend,
  options: BackendContractOptions = {},
): readonly BackendBehaviour[] {
  const lacks = options.lacks ?? []
  return [
    ...macBehaviours(backend),
    ...digestBehaviours(backend),
    ...signatureBehaviours(backend, lacks),
    ...keyBehaviours(backend, lacks),
  ]
}
