import { signatureAlgorithms } from '../algorithms/signatures.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Coverage, Policy } from './policy.ts'

/** A policy with every default filled in and every field checked. */
export interface Rules {
  /** `undefined`: that of the scheme. */
  readonly maxAgeSeconds: number | undefined
  /** `undefined`: that of the scheme. */
  readonly skewSeconds: number | undefined
  readonly covers: Coverage | undefined
  /** `undefined`: required of schemes that can cover the content. */
  readonly digest: 'required' | 'if-covered' | undefined
  readonly nonce: 'required' | 'if-present' | 'ignored' | undefined
  readonly signatures: NonNullable<Policy['signatures']>
  readonly algorithms: readonly string[] | undefined
  readonly mode: NonNullable<Policy['mode']>
  readonly limitBytes: number
}

/**
 * Checks a policy and fills in its defaults. 0 means 0, never "the default".
 * @throws CountersignError `config-invalid`, naming the field, what was expected and what came.
 */
export function rulesFrom(policy: Policy): Rules {
  return Object.freeze({
    maxAgeSeconds: wholeNumber('maxAgeSeconds', policy.maxAgeSeconds, undefined, 86_400),
    skewSeconds: wholeNumber('skewSeconds', policy.skewSeconds, undefined, 3600),
    covers: coverageOf(policy.covers),
    digest:
      policy.digest === undefined
        ? undefined
        : oneOf('digest', policy.digest, 'required', ['required', 'if-covered']),
    nonce:
      policy.nonce === undefined
        ? undefined
        : oneOf('nonce', policy.nonce, 'required', ['required', 'if-present', 'ignored']),
    signatures: signaturesOf(policy.signatures),
    algorithms: algorithmsOf(policy.algorithms),
    mode: oneOf('mode', policy.mode, 'enforce', ['enforce', 'warn', 'observe', 'off']),
    limitBytes: wholeNumber('limitBytes', policy.limitBytes, 1_048_576, Number.MAX_SAFE_INTEGER),
  })
}

function wholeNumber<T>(field: string, value: unknown, fallback: T, most: number): number | T {
  if (value === undefined) return fallback
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value
  throw invalid(field, `a whole number from 0 to ${most}`, value)
}

function oneOf<T extends string>(field: string, value: T | undefined, fallback: T, allowed: readonly T[]): T {
  if (value === undefined) return fallback
  if (allowed.includes(value)) return value
  throw invalid(field, allowed.join(', '), value)
}

// A derived component, a lower-case field name, or either in quotes with parameters. A misspelt one would refuse every request.
const identifier =
  /^(@(method|target-uri|authority|scheme|request-target|path|query|status|body)|[a-z0-9!#$%&'*+.^_`|~-]+|".*)$/

function coverageOf(covers: Coverage | undefined): Coverage | undefined {
  if (covers === undefined) return undefined
  const lists: readonly unknown[] = Array.isArray(covers) ? [covers] : Object.values(covers)
  for (const list of lists) {
    if (!Array.isArray(list) || !list.every((one) => typeof one === 'string' && identifier.test(one))) {
      throw invalid('covers', 'a list of component identifiers, or one such list by method', covers)
    }
  }
  return covers
}

function signaturesOf(signatures: Policy['signatures']): Rules['signatures'] {
  if (signatures === undefined || signatures === 'any' || signatures === 'all') return signatures ?? 'any'
  if (typeof signatures === 'object' && ('label' in signatures || 'tag' in signatures)) return signatures
  throw invalid('signatures', "'any', 'all', { label } or { tag }", signatures)
}

function algorithmsOf(names: readonly string[] | undefined): readonly string[] | undefined {
  if (names === undefined) return undefined
  for (const name of names)
    if (!signatureAlgorithms.has(name)) throw invalid('algorithms', 'names of known algorithms', name)
  return names
}

function invalid(field: string, expected: string, came: unknown): CountersignError {
  return new CountersignError(
    'config-invalid',
    `policy.${field}: expected ${expected}, got ${JSON.stringify(came) ?? String(came)}`,
  )
}
