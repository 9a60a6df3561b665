import { backend as runtimeBackend } from '#backend'
import { type Clock, systemClock } from '../clock/clock.ts'
import type { Credential } from '../credentials/credential.ts'
import type { CredentialStore } from '../credentials/store.ts'
import type { Backend } from '../crypto/backend.ts'
import { cryptoDriver } from '../crypto/driver.ts'
import type { MaybePromise } from '../message/body.ts'
import { isPromise } from '../message/body.ts'
import { fetchRequest } from '../message/fetch-request.ts'
import type { Message } from '../message/message.ts'
import type { Policy } from '../policy/policy.ts'
import { type Rules, rulesFrom } from '../policy/rules.ts'
import { CountersignError } from '../reasons/error.ts'
import { reasons, refuse } from '../reasons/reasons.ts'
import type { NonceStore } from '../replay/nonce-store.ts'
import type { Scheme } from '../schemes/scheme.ts'
import { drive, driveSync } from '../steps/drive.ts'
import type { Driver } from '../steps/need.ts'
import { recording, type TraceEntry } from '../steps/trace.ts'
import { challengeFields } from './challenge.ts'
import type { Fell, Judgement, Stood } from './judgement.ts'
import type { Verdict } from './verdict.ts'
import { verifySteps } from './verify.ts'
import { schemesWithWeakAlgorithms, warningsOf } from './warnings.ts'

/** What `createVerifier` takes. */
export interface VerifierOptions {
  /** Tried in order. */
  readonly schemes: readonly Scheme[]
  /** A store, or a function from key id and scheme to a credential. */
  readonly credentials:
    | CredentialStore
    | ((keyId: string, scheme: string) => MaybePromise<Credential | undefined>)
  /** Absent: replay is not checked. */
  readonly nonces?: NonceStore
  readonly policy?: Policy
  /** Default: the clock of the machine. */
  readonly clock?: Clock
  /** Default: the cryptography of the runtime. */
  readonly backend?: Backend
  /** Told every verdict, for logs and metrics. What it throws is ignored. */
  readonly onVerdict?: (verdict: Verdict, message: Message) => void
}

/** What one verification may say on its own. */
export interface VerifyOptions {
  /** Rights that the credential must have, all of them. */
  readonly rights?: readonly string[]
  /** Fields that differ from the verifier's policy. Pass the same object each time: it is compiled once. */
  readonly policy?: Policy
}

/** A message or a WHATWG `Request`. */
export type Verifiable = Message | Request

/** Judges messages. Never throws on wire input. */
export interface Verifier {
  verify(message: Verifiable, options?: VerifyOptions): Promise<Verdict>
  /** @throws CountersignError `sync-impossible` where a store, the runtime's cryptography or the body can only answer later. */
  verifySync(message: Verifiable, options?: VerifyOptions): Verdict
  /** Verifies and tells what was asked and answered on the way. Records no nonce. For `explain`, never for the hot path. */
  trace(
    message: Verifiable,
    options?: VerifyOptions,
  ): Promise<{ readonly verdict: Verdict; readonly entries: readonly TraceEntry[] }>
}

const noRights: readonly string[] = []

/**
 * Makes a verifier.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { schemes, credentials, nonces, clock = systemClock, backend = runtimeBackend, onVerdict } = options
  if (schemes.length === 0)
    throw new CountersignError('config-invalid', 'schemes: expected at least one, got none')
  const find = typeof credentials === 'function' ? credentials : credentials.find.bind(credentials)
  const driver: Driver = {
    ...cryptoDriver(backend),
    credential: (need) => find(need.keyId, need.scheme),
    nonce: (need) => (nonces === undefined ? 'fresh' : nonces.record(need.token, need.expiresAt)),
    time: () => secondsOf(clock),
  }
  const rulesFor = rulesByPolicy(options.policy ?? {})
  const accepted: Accepted = {
    schemes,
    withWeak: schemesWithWeakAlgorithms(schemes),
    refusalStatus: commonStatus(schemes),
  }

  const judgement = (rules: Rules, options: VerifyOptions | undefined): Judgement => ({
    schemes,
    rules,
    rights: options?.rights ?? noRights,
    recordsNonces: nonces !== undefined,
    now: secondsOf(clock),
  })
  const conclude = (judged: Stood | Fell, message: Message, rules: Rules): Verdict => {
    const verdict = verdictOf(judged, message, accepted, rules)
    if (onVerdict !== undefined) {
      try {
        const told: unknown = onVerdict(verdict, message)
        if (isPromise(told)) told.then(undefined, () => undefined)
      } catch {
        // A logger that fails must not change who gets in.
      }
    }
    return verdict
  }
  const unjudged = (rules: Rules): Fell | undefined =>
    rules.mode === 'off'
      ? {
          ok: false,
          scheme: undefined,
          claim: undefined,
          refusal: refuse('signature-absent', 'verification is off: nothing was checked'),
        }
      : undefined

  return {
    verify(verifiable, verifyOptions) {
      try {
        const message = messageOf(verifiable)
        const rules = rulesFor(verifyOptions?.policy)
        const judged = unjudged(rules) ?? drive(verifySteps(message, judgement(rules, verifyOptions)), driver)
        if (isPromise(judged)) return judged.then((later) => conclude(later, message, rules))
        return Promise.resolve(conclude(judged, message, rules))
      } catch (mistake) {
        return Promise.reject(mistake)
      }
    },
    verifySync(verifiable, verifyOptions) {
      const message = messageOf(verifiable)
      const rules = rulesFor(verifyOptions?.policy)
      const judged =
        unjudged(rules) ?? driveSync(verifySteps(message, judgement(rules, verifyOptions)), driver)
      return conclude(judged, message, rules)
    },
    async trace(verifiable, verifyOptions) {
      const message = messageOf(verifiable)
      const rules = rulesFor(verifyOptions?.policy)
      const { driver: recorder, entries } = recording({ ...driver, nonce: () => 'fresh' })
      const judged = await drive(verifySteps(message, judgement(rules, verifyOptions)), recorder)
      return { verdict: verdictOf(judged, message, accepted, rules), entries }
    },
  }
}

/** Compiles each policy object once. A call's policy overrides fields of the verifier's. */
function rulesByPolicy(base: Policy): (policy: Policy | undefined) => Rules {
  const baseRules = rulesFrom(base)
  const compiled = new WeakMap<Policy, Rules>()
  return (policy) => {
    if (policy === undefined) return baseRules
    let rules = compiled.get(policy)
    if (rules === undefined) {
      rules = rulesFrom({ ...base, ...policy })
      compiled.set(policy, rules)
    }
    return rules
  }
}

/** The schemes of a verifier. */
interface Accepted {
  readonly schemes: readonly Scheme[]
  /** Those among them that may stand on a weak algorithm. */
  readonly withWeak: ReadonlySet<Scheme>
  /** Status of a refusal that is about none of them alone: 401, unless all of their ancestors had the same other one. */
  readonly refusalStatus: number
}

function commonStatus(schemes: readonly Scheme[]): number {
  const [first] = schemes
  return schemes.every(({ refusalStatus }) => refusalStatus === first?.refusalStatus)
    ? (first?.refusalStatus ?? 401)
    : 401
}

function verdictOf(
  judged: Stood | Fell,
  message: Message,
  { schemes, withWeak, refusalStatus }: Accepted,
  rules: Rules,
): Verdict {
  if (judged.ok) {
    const { scheme, credential, claim } = judged
    return {
      ok: true,
      scheme: scheme.name,
      credential,
      claim,
      warnings: warningsOf(judged, withWeak),
      mode: rules.mode,
    }
  }
  const { scheme, claim, refusal } = judged
  const { status } = reasons[refusal.reason]
  return {
    ok: false,
    reason: refusal.reason,
    status: status !== 401 ? status : scheme === undefined ? refusalStatus : (scheme.refusalStatus ?? 401),
    headers: challengeFields({ reason: refusal.reason, scheme }, schemes, rules, message),
    detail: refusal.detail,
    enforced: rules.mode === 'enforce',
    mode: rules.mode,
    scheme: scheme?.name,
    claim,
  }
}

function messageOf(verifiable: Verifiable): Message {
  return 'kind' in verifiable ? verifiable : fetchRequest(verifiable)
}

/** A clock that gives no number would pass every window: nothing is older than NaN. */
function secondsOf(clock: Clock): number {
  const now = Math.floor(clock())
  if (Number.isFinite(now)) return now
  throw new CountersignError('config-invalid', 'clock: expected whole seconds since the epoch')
}
