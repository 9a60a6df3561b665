import type { Message } from '../../message/message.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { isRefusal, type Refusal } from '../../reasons/reasons.ts'
import type { OauthMacClaim } from './claim.ts'
import type { Settings } from './options.ts'
import { signedTarget } from './target.ts'

const labels: readonly string[] = ['ts', 'nonce', 'method', 'request URI', 'host', 'port', 'ext']

/** Gives the normalized request string: seven lines, each ended by a line feed. Draft-01 section 3.2.1. */
export function signatureBase(
  message: Message,
  claim: OauthMacClaim,
  settings: Settings,
): SignatureBase | Refusal {
  const target = signedTarget(message, settings)
  if (isRefusal(target)) return target
  const { method, uri, host, port } = target
  const { ts, sentNonce, signedExt } = claim
  return { text: `${ts}\n${sentNonce}\n${method}\n${uri}\n${host}\n${port}\n${signedExt}\n`, labels }
}
