import {
  type ContentDigests,
  compareDigests,
  readContentDigest,
  writeContentDigest,
} from '../../digest/content-digest.ts'
import { hasContent } from '../../message/body.ts'
import { type FieldLines, fieldCount, fieldValue, isFieldName } from '../../message/field-lines.ts'
import type { Message } from '../../message/message.ts'
import type { Patch } from '../../message/patch.ts'
import { CountersignError } from '../../reasons/error.ts'
import { isRefusal } from '../../reasons/reasons.ts'
import { answered, type Steps } from '../../steps/steps.ts'
import type { Draft, DraftInput } from '../scheme.ts'
import type { Rfc9421Claim } from './claim.ts'
import { componentFromId, maxComponents } from './component.ts'
import { type CoveredComponents, coverageFrom } from './input.ts'
import type { Rfc9421Options } from './options.ts'
import { maxKeyIdLength, schemeName } from './read.ts'
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

/** Decides what to sign. */
export type Drafter = (input: DraftInput) => Steps<Draft<Rfc9421Claim>>

/** Makes a drafter: adds the digest of the content, picks the components, sets the parameters. RFC 9421 section 3.1. */
export function drafter(options: Rfc9421Options): Drafter {
  const chosen = options.covers === undefined ? undefined : draftCoverage(options.covers)
  const { label = 'sig1', expiresInSeconds, nonce: wantsNonce = true, alg = false, tag } = options
  const tagText = tag === undefined ? '' : `;tag=${quoted('tag', tag)}`
  // A signer has one key id; written once, not for each signature.
  let lastKeyId = ''
  let keyIdText = '""'

  return function* draft({ message, keyId, algorithm, now }) {
    const coverage = chosen ?? defaultCoverage(message)
    let drafted = message
    let set: Patch['set'] = noFields
    let contentDigest: string | undefined
    if (coverage.makesDigest) {
      const before = fieldValue(message.fields, 'content-digest')
      const wanted = before === undefined ? sha256 : readContentDigest(before)
      const hashNames = isRefusal(wanted) ? sha256.hashNames : wanted.hashNames
      const made = answered(
        'body-digest',
        yield { kind: 'body-digest', body: message.body, hashNames, limitBytes: contentLimitBytes },
      )
      if ('problem' in made)
        throw new CountersignError('body-unavailable', 'the content could not be read to its end')
      if (before !== undefined && !isRefusal(wanted) && compareDigests(wanted, made) === undefined) {
        // It fits, and another signature may cover it.
        contentDigest = before
      } else {
        contentDigest = writeContentDigest(hashNames, made)
        set = [['Content-Digest', contentDigest]]
        drafted = { ...message, fields: withField(message.fields, before, contentDigest) }
      }
    }
    const nonce = wantsNonce
      ? answered('random', yield { kind: 'random', byteLength: nonceBytes })
      : undefined
    const expiresAt = expiresInSeconds === undefined ? undefined : now + expiresInSeconds
    checkLabelFree(message, label)
    if (keyId !== lastKeyId) {
      if (keyId.length > maxKeyIdLength) {
        throw new CountersignError('config-invalid', `keyid: at most ${maxKeyIdLength} characters`)
      }
      keyIdText = quoted('keyid', keyId)
      lastKeyId = keyId
    }
    const expiresText = expiresAt === undefined ? '' : `;expires=${expiresAt}`
    const nonceText = nonce === undefined ? '' : `;nonce="${nonce}"`
    const algText = alg ? `;alg="${algorithm.name}"` : ''
    return {
      claim: {
        scheme: schemeName,
        keyId,
        algorithm: alg ? algorithm.name : undefined,
        covers: coverage.ids,
        createdAt: now,
        expiresAt,
        nonce,
        tag,
        label,
        signature: '',
        contentDigest,
        coverage,
        signatureParams: `${coverage.list};created=${now}${expiresText};keyid=${keyIdText}${nonceText}${algText}${tagText}`,
      },
      message: drafted,
      set,
    }
  }
}

/** Gives the two fields, behind signatures that the message already has. RFC 9421 section 4. */
export function writeSignature({ claim, message, set }: Draft<Rfc9421Claim>, signature: string): Patch {
  const input = `${claim.label}=${claim.signatureParams}`
  const value = `${claim.label}=:${signature}:`
  const inputBefore = fieldValue(message.fields, 'signature-input')
  const before = inputBefore === undefined ? undefined : fieldValue(message.fields, 'signature')
  return {
    set: [
      ...set,
      ['Signature-Input', inputBefore === undefined ? input : `${inputBefore}, ${input}`],
      ['Signature', before === undefined ? value : `${before}, ${value}`],
    ],
  }
}

const noFields: Patch['set'] = []
const sha256: ContentDigests = { hashNames: ['sha256'], values: [] }

interface DraftCoverage extends CoveredComponents {
  /** The inner list as serialised. */
  readonly list: string
  /** Whether the digest of the content is to be made: the plain field is covered. */
  readonly makesDigest: boolean
}

function draftCoverage(covers: readonly string[]): DraftCoverage {
  const components = covers.map((id) => {
    const component = componentFromId(id)
    if (component !== undefined) return component
    throw new CountersignError(
      'config-invalid',
      `rfc9421 covers: ${JSON.stringify(id)} is not a component that can be signed`,
    )
  })
  if (new Set(components.map(({ identity }) => identity)).size !== components.length) {
    throw new CountersignError('config-invalid', 'rfc9421 covers: a component stands twice')
  }
  if (components.length > maxComponents) {
    throw new CountersignError('config-invalid', `rfc9421 covers: more than ${maxComponents} components`)
  }
  return {
    ...coverageFrom(components),
    list: `(${covers.map(identifierText).join(' ')})`,
    makesDigest: covers.includes('content-digest'),
  }
}

const requestCoverage = draftCoverage(['@method', '@target-uri'])
const contentCoverage = draftCoverage(['@method', '@target-uri', 'content-digest'])
const typedContentCoverage = draftCoverage(['@method', '@target-uri', 'content-digest', 'content-type'])
const responseCoverage = draftCoverage(['@status'])
const responseContentCoverage = draftCoverage(['@status', 'content-digest'])

function defaultCoverage({ kind, body, fields }: Message): DraftCoverage {
  if (kind === 'response') return hasContent(body) ? responseContentCoverage : responseCoverage
  if (!hasContent(body)) return requestCoverage
  return fieldCount(fields, 'content-type') === 0 ? contentCoverage : typedContentCoverage
}

/** `before`: the value that the field has already, if any, and that is to go. */
function withField(fields: FieldLines, before: string | undefined, value: string): FieldLines {
  const kept =
    before === undefined
      ? fields
      : fields.filter((_, i) => !isFieldName(fields[i - (i % 2)] ?? '', 'content-digest'))
  return [...kept, 'Content-Digest', value]
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
