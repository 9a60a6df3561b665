import type { Component } from './component.ts'

/** Most signatures read of one message. */
export const maxSignatures = 8

/** One member of a `Signature-Input` field. RFC 9421 section 4.1. */
export interface SignatureInput {
  readonly label: string
  readonly coverage: CoveredComponents
  /** The inner list with its parameters as serialised: the value of `@signature-params`. RFC 9421 section 2.3. */
  readonly signatureParams: string
  readonly created: number | undefined
  readonly expires: number | undefined
  readonly nonce: string | undefined
  readonly alg: string | undefined
  readonly keyid: string | undefined
  readonly tag: string | undefined
}

/** The covered components of a signature, in order. */
export interface CoveredComponents {
  readonly components: readonly Component[]
  /** Their identifiers. */
  readonly ids: readonly string[]
  /** Whether `content-digest` is among them in any form, so that it has to be compared with the content. */
  readonly coversDigest: boolean
}

/** Gathers what is looked up of covered components, once for each list. */
export function coverageFrom(components: readonly Component[]): CoveredComponents {
  const ids = components.map(({ id }) => id)
  return { components, ids, coversDigest: components.some((component) => component.isContentDigest) }
}
