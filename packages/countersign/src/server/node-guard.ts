import type { Verdict } from '../verifier/verdict.ts'
import type { Verifier } from '../verifier/verifier.ts'
import {
  type ConnectionOptions,
  claimContinue,
  connectionRules,
  type NodeRequest,
  nodeRequest,
  sendContinue,
  stateOf,
} from './from-node.ts'
import { type GuardOptions, type Outcome, outcomeOf, withRights } from './guard.ts'
import { respond } from './respond.ts'

/** What a guard of a Node framework takes. @internal */
export interface NodeGuardOptions extends GuardOptions, ConnectionOptions {}

/** What a framework says of its guard. @internal */
export interface NodeGuardSetting {
  /** Whether a request without a signature is refused. */
  readonly needed: boolean
  /** How the framework puts the guard in front of its body parser. */
  readonly order: string
}

/**
 * Makes what the guards of all Node frameworks share. A second guard with the same verifier and policy on one request goes
 * by the first one's verdict and checks its own rights: a nonce counts once, and the body may be parsed in between.
 * @throws CountersignError `config-invalid` where an option cannot work.
 * @internal
 */
export function nodeGuard(
  verifier: Verifier,
  options: NodeGuardOptions,
  setting: NodeGuardSetting,
): (req: NodeRequest) => Promise<Outcome> {
  const rules = connectionRules(options, setting.order)
  const { rights, policy, respond: answer = respond } = options
  const verifyOptions = {
    ...(rights === undefined ? {} : { rights }),
    ...(policy === undefined ? {} : { policy }),
  }
  return async (req) => {
    claimContinue(req)
    const state = stateOf(req)
    const earlier = state.judgement
    let verdict: Verdict
    if (earlier?.verifier === verifier && earlier.policy === policy) {
      verdict = withRights(earlier.verdict, rights)
    } else {
      verdict = await verifier.verify(nodeRequest(req, rules), verifyOptions)
      state.judgement = { verifier, policy, verdict }
    }
    const outcome = outcomeOf(verdict, setting.needed, answer)
    if (outcome.kind === 'passed') sendContinue(req)
    return outcome
  }
}
