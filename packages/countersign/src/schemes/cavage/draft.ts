import { writeDigestHeader } from '../../digest/digest-header.ts'
import { fieldCount } from '../../message/field-lines.ts'
import type { RequestMessage } from '../../message/message.ts'
import { applyPatch, type Patch } from '../../message/patch.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { ask, type Steps } from '../../steps/steps.ts'
import { formatHttpDate } from '../../text/http-date.ts'
import type { Draft, DraftInput } from '../scheme.ts'
import { isOldName, nameOf } from './algorithm.ts'
import { type CavageClaim, schemeName } from './claim.ts'
import { listFor } from './lists.ts'
import { componentsOf } from './names.ts'
import type { Settings } from './options.ts'
import { targetCoverage } from './target.ts'
import { timesOf } from './times.ts'

/** Content is hashed whole wherever it fits in memory: the signer has it at hand. */
const contentLimitBytes = Number.MAX_SAFE_INTEGER

/** Decides what to sign, and adds what the list names and the request lacks: `Date`, `Digest`, `Content-Length`, in Flask-Cavage `Content-Type`. */
export function* draftSignature(input: DraftInput, settings: Settings): Steps<Draft<CavageClaim>> {
  const { keyId, now } = input
  if (input.message.kind !== 'request') {
    throw new CountersignError('component-unavailable', `${schemeName} signs requests; a response was given`)
  }
  checkKeyId(keyId, settings)
  const names = listFor(input.message, settings)
  const set = yield* missingFields(input.message, names, { now, settings })
  const message = applyPatch(input.message, { set })
  const algorithmText = algorithmName(input, names, settings)
  const created = names.includes('(created)') ? String(now) : undefined
  const expires = names.includes('(expires)') ? String(now + settings.expiresInSeconds) : undefined
  const times = timesOf(message, { names, created, expires }, settings)
  if (isRefusal(times)) throw new CountersignError('component-unavailable', times.detail)
  return {
    claim: {
      scheme: schemeName,
      keyId,
      algorithm: input.algorithm.name,
      covers: componentsOf(names, {
        target: targetCoverage(settings, message.method),
        digestIsCompared: names.includes('digest'),
      }),
      createdAt: times.createdAt,
      expiresAt: times.expiresAt,
      nonce: undefined,
      tag: undefined,
      label: undefined,
      signature: '',
      contentDigest: undefined,
      names,
      created,
      expires,
      algorithmText,
    },
    message,
    set,
  }
}

/** Gives the field that carries the signature. Drafts 03 to 12, sections 3.1 and 4.1. */
export function writeSignature(
  { claim, set }: Draft<CavageClaim>,
  signature: string,
  { isFlask, field }: Settings,
): Patch {
  const headers = `headers="${claim.names.join(' ')}"`
  const parameters = [`keyId="${claim.keyId}"`]
  if (claim.algorithmText !== undefined) parameters.push(`algorithm="${claim.algorithmText}"`)
  if (claim.created !== undefined) parameters.push(`created=${claim.created}`)
  if (claim.expires !== undefined) parameters.push(`expires=${claim.expires}`)
  // The order of each original.
  if (isFlask) parameters.push(`signature="${signature}"`, headers)
  else parameters.push(headers, `signature="${signature}"`)
  const value = parameters.join(',')
  return {
    set: [...set, field === 'signature' ? ['Signature', value] : ['Authorization', `Signature ${value}`]],
  }
}

function* missingFields(
  message: RequestMessage,
  names: readonly string[],
  { now, settings }: { readonly now: number; readonly settings: Settings },
): Steps<Patch['set']> {
  const set: (readonly [string, string])[] = []
  const lacks = (name: string): boolean => names.includes(name) && fieldCount(message.fields, name) === 0
  if (lacks('date')) set.push(['Date', formatHttpDate(now)])
  if (settings.isFlask && lacks('content-type')) set.push(['Content-Type', 'application/octet-stream'])
  if (lacks('content-length')) set.push(['Content-Length', String(yield* contentLength(message))])
  if (names.includes('digest')) set.push(['Digest', yield* makeDigest(message, settings)])
  return set
}

function* contentLength({ body }: RequestMessage): Steps<number> {
  const bytes = yield* ask({ kind: 'body', body, limitBytes: contentLimitBytes })
  if (bytes instanceof Uint8Array) return bytes.length
  throw new CountersignError('body-unavailable', 'the content could not be read to its end')
}

function* makeDigest({ body }: RequestMessage, { digest }: Settings): Steps<string> {
  const hashNames = digest === 'SHA-256' ? (['sha256'] as const) : (['sha512'] as const)
  const made = yield* ask({ kind: 'body-digest', body, hashNames, limitBytes: contentLimitBytes })
  const value = 'kind' in made ? undefined : made[0]
  if (value === undefined) {
    throw new CountersignError('body-unavailable', 'the content could not be read to its end')
  }
  return writeDigestHeader(digest, value)
}

function algorithmName(
  { algorithm }: DraftInput,
  names: readonly string[],
  settings: Settings,
): string | undefined {
  const name = nameOf(algorithm.name)
  const isNew = names.includes('(created)') || names.includes('(expires)')
  switch (settings.algorithm) {
    case 'none':
      return undefined
    case 'hs2019':
      return 'hs2019'
    case 'named':
      if (name === undefined || (isNew && isOldName(name))) {
        throw new CountersignError(
          'config-invalid',
          `cavage algorithm: ${algorithm.name} cannot be named here`,
        )
      }
      return name
    case undefined:
      return name === undefined || isNew || (algorithm.keyKind === 'ed25519' && !settings.isFlask)
        ? 'hs2019'
        : name
    default:
      return settings.algorithm satisfies never
  }
}

function checkKeyId(keyId: string, { keyIds }: Settings): void {
  const isFine = keyIds === 'word' ? /^[A-Za-z0-9_]{1,256}$/ : /^[ !#-[\]-~]{1,256}$/
  if (!isFine.test(keyId)) {
    throw new CountersignError(
      'config-invalid',
      'credential id: cavage needs 1 to 256 printable ASCII characters without quotes and backslashes',
    )
  }
}
