import { base64Decode, base64Encode } from '../../bytes/base64.ts'
import { ecdsaFromDer } from '../../crypto/ecdsa-der.ts'
import { fieldValue, fieldValues } from '../../message/field-lines.ts'
import type { Message, RequestMessage } from '../../message/message.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import { isOldName, rowNamed } from './algorithm.ts'
import { type CavageClaim, schemeName } from './claim.ts'
import { componentsOf } from './names.ts'
import type { Settings } from './options.ts'
import { type Parameters, readParameters } from './parameters.ts'
import { targetCoverage } from './target.ts'
import { timesOf } from './times.ts'
import { warningsFor } from './warnings.ts'

/** Reads the signature of a request. Absent where no field carries one; a `Signature` beside `Signature-Input` is of RFC 9421. */
export function readClaim(
  message: Message,
  settings: Settings,
): readonly CavageClaim[] | Refusal | undefined {
  if (message.kind !== 'request') return undefined
  const text = signatureText(message, settings)
  if (typeof text !== 'string') return text
  const parameters = readParameters(text, settings)
  if (isRefusal(parameters)) return parameters
  const claim = claimOf(message, parameters, settings)
  return isRefusal(claim) ? claim : [claim]
}

function signatureText(message: RequestMessage, { isFlask }: Settings): string | Refusal | undefined {
  const { fields } = message
  const authorizations = fieldValues(fields, 'authorization')
  const authorization = authorizations.find((value) => /^signature(?:[ \t,]|$)/i.test(value))
  const signature = isFlask ? undefined : ownSignature(message)
  if (authorization === undefined) return signature
  if (authorizations.length > 1) return malformed('Authorization stands on more than one line')
  if (signature !== undefined) return malformed('there is a signature in Authorization and one in Signature')
  return authorization.startsWith('Signature ')
    ? authorization.slice('Signature '.length)
    : malformed('Signature is not spelled so, with a space behind it')
}

/** The `Signature` field where it has the form of this scheme: other schemes have a field of that name too. */
function ownSignature({ fields }: RequestMessage): string | Refusal | undefined {
  const values = fieldValues(fields, 'signature')
  if (
    !values.some((value) => value.includes('keyId=')) ||
    fieldValue(fields, 'signature-input') !== undefined
  ) {
    return undefined
  }
  return values.length === 1 ? values[0] : malformed('Signature stands on more than one line')
}

function claimOf(message: RequestMessage, parameters: Parameters, settings: Settings): CavageClaim | Refusal {
  const { names, algorithm, created, expires } = parameters
  const { compatible, isFlask } = settings
  const isOld = (names.includes('(created)') || names.includes('(expires)')) && isOldName(algorithm ?? '')
  if (isOld && !compatible.has('created-with-named-algorithm')) {
    return malformed('(created) and (expires) go with hs2019 only, not with an algorithm by name')
  }
  const times = timesOf(message, parameters, settings)
  if (isRefusal(times)) return times
  const { createdAt } = times
  const digestHeader = names.includes('digest') ? fieldValue(message.fields, 'digest') : undefined
  const oddName = isFlask && digestHeader !== undefined ? problemOfNames(digestHeader) : undefined
  if (oddName !== undefined) return refuse('digest-unsupported', oddName)
  return {
    scheme: schemeName,
    keyId: parameters.keyId,
    algorithm: rowNamed(algorithm, isFlask),
    covers: componentsOf(names, {
      target: targetCoverage(settings, message.method),
      digestIsCompared: digestHeader !== undefined,
    }),
    createdAt,
    expiresAt: times.expiresAt,
    nonce: settings.singleUse ? singleUseToken(parameters.signature) : undefined,
    tag: undefined,
    label: undefined,
    signature: parameters.signature,
    contentDigest: names.includes('content-digest')
      ? fieldValue(message.fields, 'content-digest')
      : undefined,
    digestHeader,
    digestHashes: settings.digestHashes,
    warnings: warningsFor(
      message,
      { names, digestHeader, createdAt, isLoose: isOld || times.isLoose },
      settings,
    ),
    names,
    created,
    expires,
    algorithmText: algorithm,
  }
}

/** A server of Flask-Cavage knows its digests in upper case only. */
function problemOfNames(digestHeader: string): string | undefined {
  const names = digestHeader.split(',').map((member) => member.split('=')[0] ?? '')
  return names.some((name) => name !== name.toUpperCase())
    ? 'this profile writes the names of digests in upper case'
    : undefined
}

/**
 * What a signature is remembered by: itself, and an ECDSA one by its first number, since anybody can turn (r, s) into (r, n - s).
 * The whole text of an RSA signature is longer than a nonce may be; its beginning is as good.
 */
function singleUseToken(signature: string): string {
  const bytes = base64Decode(signature)
  const numbers = bytes === undefined ? undefined : (ecdsaFromDer(bytes, 32) ?? ecdsaFromDer(bytes, 48))
  return numbers === undefined
    ? signature.slice(0, 172)
    : base64Encode(numbers.subarray(0, numbers.length / 2))
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}
