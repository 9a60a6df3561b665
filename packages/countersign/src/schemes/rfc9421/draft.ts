import { writeContentDigest } from '../../digest/content-digest.ts'
import { hasContent } from '../../message/body.ts'
import { fieldCount, fieldValue, isFieldName } from '../../message/field-lines.ts'
import type { Message } from '../../message/message.ts'
import type { Patch } from '../../message/patch.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { ask, type Steps } from '../../steps/steps.ts'
import type { Draft, DraftInput } from '../scheme.ts'
import type { Rfc9421Claim } from './claim.ts'
import { type Component, componentFromId } from './component.ts'
import { type CoveredComponents, coverageFrom } from './input.ts'
import type { Rfc9421Options } from './options.ts'
import { schemeName } from './read.ts'
import { readSignatureInput } from './signature-input.ts'

const nonceBytes = 16
/** Content is hashed whole wherever it fits in memory: the signer has it at hand. */
const contentLimitBytes = Number.MAX_SAFE_INTEGER

/** Writes a component identifier as it stands in an inner list. */
export function identifierText(id: string): string {
  return id.startsWith('"') ? id : `"${id}"`
}

/** Tells whether text can label a signature. RFC 9651 section 3.1.2. */
export function isLabel(text: string): boolean {
  return /^[a-z*][a-z0-9_.*-]{0,63}$/.test(text)
}

/** Decides what to sign: adds the digest of the content, picks the components, sets the parameters. RFC 9421 section 3.1. */
export function* draftSignature(input: DraftInput, options: Rfc9421Options): Steps<Draft<Rfc9421Claim>> {
  const covers = options.covers ?? defaultCovers(input.message)
  let { message } = input
  const set: (readonly [string, string])[] = []
  let contentDigest: string | undefined
  if (covers.includes('content-digest')) {
    contentDigest = yield* makeDigest(message)
    set.push(['Content-Digest', contentDigest])
    message = withField(message, 'content-digest', contentDigest)
  }
  const coverage = coverageOf(covers)
  const nonce = options.nonce === false ? undefined : yield* ask({ kind: 'random', byteLength: nonceBytes })
  const expiresAt = options.expiresInSeconds === undefined ? undefined : input.now + options.expiresInSeconds
  const label = options.label ?? 'sig1'
  checkLabelFree(message, label)
  let signatureParams = `${coverage.list};created=${input.now}`
  if (expiresAt !== undefined) signatureParams += `;expires=${expiresAt}`
  signatureParams += `;keyid=${quoted('keyid', input.keyId)}`
  if (nonce !== undefined) signatureParams += `;nonce="${nonce}"`
  if (options.alg === true) signatureParams += `;alg="${input.algorithm.name}"`
  if (options.tag !== undefined) signatureParams += `;tag=${quoted('tag', options.tag)}`
  return {
    claim: {
      scheme: schemeName,
      keyId: input.keyId,
      algorithm: options.alg === true ? input.algorithm.name : undefined,
      covers: coverage.ids,
      createdAt: input.now,
      expiresAt,
      nonce,
      tag: options.tag,
      label,
      signature: '',
      contentDigest,
      coverage,
      signatureParams,
    },
    message,
    set,
  }
}

/** Gives the two fields, behind signatures that the message already has. RFC 9421 section 4. */
export function writeSignature({ claim, message, set }: Draft<Rfc9421Claim>, signature: string): Patch {
  const input = `${claim.label}=${claim.signatureParams}`
  const value = `${claim.label}=:${signature}:`
  const inputBefore = fieldValue(message.fields, 'signature-input')
  const before = fieldValue(message.fields, 'signature')
  return {
    set: [
      ...set,
      ['Signature-Input', inputBefore === undefined ? input : `${inputBefore}, ${input}`],
      ['Signature', before === undefined ? value : `${before}, ${value}`],
    ],
  }
}

function defaultCovers(message: Message): readonly string[] {
  if (message.kind === 'response')
    return hasContent(message.body) ? ['@status', 'content-digest'] : ['@status']
  if (!hasContent(message.body)) return requestCovers
  return fieldCount(message.fields, 'content-type') === 0 ? contentCovers : typedContentCovers
}

const requestCovers = ['@method', '@target-uri']
const contentCovers = [...requestCovers, 'content-digest']
const typedContentCovers = [...contentCovers, 'content-type']

interface DraftCoverage extends CoveredComponents {
  /** The inner list as serialised. */
  readonly list: string
}

const coverages = new WeakMap<readonly string[], DraftCoverage>()

/** Signers use few lists, each an array of its own: looked up by identity. */
function coverageOf(covers: readonly string[]): DraftCoverage {
  let coverage = coverages.get(covers)
  if (coverage === undefined) {
    const components: Component[] = []
    for (const id of covers) {
      const component = componentFromId(id)
      if (component === undefined)
        throw new CountersignError('component-unavailable', `${JSON.stringify(id)} cannot be signed`)
      components.push(component)
    }
    coverage = { ...coverageFrom(components), list: `(${covers.map(identifierText).join(' ')})` }
    coverages.set(covers, coverage)
  }
  return coverage
}

function* makeDigest(message: Message): Steps<string> {
  const made = yield* ask({
    kind: 'body-digest',
    body: message.body,
    hashNames: ['sha256'],
    limitBytes: contentLimitBytes,
  })
  const digest = 'kind' in made ? undefined : made[0]
  if (digest === undefined)
    throw new CountersignError('body-unavailable', 'the content could not be read to its end')
  return writeContentDigest(digest)
}

function withField(message: Message, lowerName: string, value: string): Message {
  const fields: string[] = []
  for (let i = 0; i + 1 < message.fields.length; i += 2) {
    const name = message.fields[i] ?? ''
    if (!isFieldName(name, lowerName)) fields.push(name, message.fields[i + 1] ?? '')
  }
  fields.push(lowerName, value)
  return { ...message, fields }
}

function checkLabelFree(message: Message, label: string): void {
  const before = fieldValue(message.fields, 'signature-input')
  if (before === undefined) return
  const inputs = readSignatureInput(before)
  if (isRefusal(inputs) || inputs.some((input) => input.label === label)) {
    throw new CountersignError(
      'config-invalid',
      `rfc9421 label: the message has a signature labelled ${label} already, or one that cannot be read; give another label`,
    )
  }
}

/** A string of RFC 9651 section 3.3.3. */
function quoted(parameter: string, text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) {
    throw new CountersignError('config-invalid', `${parameter}: expected printable ASCII`)
  }
  return `"${text.includes('"') || text.includes('\\') ? text.replace(/["\\]/g, '\\$&') : text}"`
}
