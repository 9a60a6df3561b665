import type { HashName } from '../algorithms/hashes.ts'
import type { SignatureAlgorithm } from '../algorithms/signatures.ts'
import type { TextEncoding } from '../bytes/encoding.ts'
import type { Message } from '../message/message.ts'
import type { Patch } from '../message/patch.ts'
import type { SignatureBase } from '../message/signature-base.ts'
import type { Reason, Refusal } from '../reasons/reasons.ts'
import type { Warning } from '../reasons/warnings.ts'
import type { Steps } from '../steps/steps.ts'

/** What a message says of its signature. Unproven until a verdict says otherwise. */
export interface Claim {
  /** Name of the scheme that read it. */
  readonly scheme: string
  readonly keyId: string
  /** Algorithm that the message names, if it does. Only ever confirms that of the credential. */
  readonly algorithm: string | undefined
  /** Component identifiers covered, in order, in the spelling of RFC 9421: `@method`, `content-type`, `"x";req`. */
  readonly covers: readonly string[]
  /** Whole seconds since the epoch. */
  readonly createdAt: number | undefined
  /** Whole seconds since the epoch. */
  readonly expiresAt: number | undefined
  readonly nonce: string | undefined
  /** Application tag. RFC 9421 section 2.3. */
  readonly tag: string | undefined
  /** Label that tells several signatures of a message apart; never selects a key. RFC 9421 section 7.2.5. */
  readonly label: string | undefined
  /** The signature as text in the scheme's encoding. Only the canonical text is ever equal to a MAC or decoded. */
  readonly signature: string
  /** The Content-Digest field value where the signature covers it; compared with the body after the proof. */
  readonly contentDigest: string | undefined
  /** The `Digest` field value (RFC 3230) where the signature covers it; compared with the body after the proof. */
  readonly digestHeader?: string | undefined
  /** Hashes that count in `digestHeader`, where an ancestor has others than SHA-256 and SHA-512. */
  readonly digestHashes?: readonly HashName[] | undefined
  /** What this claim leaves open even if it stands. */
  readonly warnings?: readonly Warning[] | undefined
}

/** How far from now a creation time may lie. Both ends are inclusive. */
export interface TimeWindow {
  /** Seconds back. */
  readonly maxAgeSeconds: number
  /** Seconds ahead. */
  readonly skewSeconds: number
}

/** What a scheme can and cannot protect. The policy goes by this. */
export interface SchemeTraits {
  /** The scheme carries a signed creation time. */
  readonly time: boolean
  /** The scheme carries a signed nonce. */
  readonly nonce: boolean
  /** The signer chooses what is covered, so a minimum has to be required. */
  readonly chosenCoverage: boolean
  /** Least coverage where the policy does not say: component identifiers, for every method or by method (`*` for the others). */
  readonly minimum?: readonly string[] | { readonly [method: string]: readonly string[] }
  /** The body is under the MAC itself, so a digest field is not needed. */
  readonly bodyInBase: boolean
  /** Seconds that a nonce is remembered where claims say no creation time. Default: as long as the policy accepts signatures. */
  readonly rememberSeconds?: number
  /** Window where the policy does not say. Default 300 seconds back and 30 ahead. */
  readonly defaultWindow?: TimeWindow
  /** What the scheme leaves uncovered, in words for the documentation. */
  readonly uncovered: readonly string[]
}

/** What a scheme needs to know while it builds a base. */
export interface BaseContext {
  /** Bytes of body that may be held for schemes that put the body under the MAC. */
  readonly limitBytes: number
  /** How many signatures of the message are judged, and share what work a message may cause. Default 1. */
  readonly sharedBy?: number
}

/** A result at once, or steps towards it. Schemes that never ask give it at once: a generator costs as much as the base. */
export type Asked<T> = T | Steps<T>

/** Tells steps from a result at once. */
export function isSteps<T>(asked: Asked<T>): asked is Steps<T> {
  return typeof asked === 'object' && asked !== null && 'next' in asked
}

/** What a signer is asked to make. */
export interface DraftInput {
  readonly message: Message
  readonly keyId: string
  readonly algorithm: SignatureAlgorithm
  /** Whole seconds since the epoch. */
  readonly now: number
}

/** A signature that lacks only the signature: the claim to be made and the fields that go with it. */
export interface Draft<C extends Claim = Claim> {
  readonly claim: C
  /** The message as it will be sent, with fields the scheme adds before it signs (a digest). */
  readonly message: Message
  /** Fields added so far. */
  readonly set: Patch['set']
  /** Query parameters added to `message`, as in `Patch`. */
  readonly query?: string
}

/**
 * One way to sign messages: read, draft, base, write. Signing and verifying share `base`.
 * Proven by `testing/contracts/scheme.ts`.
 */
export interface Scheme<C extends Claim = Claim> {
  /** Stable name, as in verdicts, logs and configuration. */
  readonly name: string
  readonly traits: SchemeTraits
  /** Names of algorithms this scheme may use, by row of `algorithms/signatures.ts`. The first of a key's kind is its default. */
  readonly algorithms: readonly string[]
  /**
   * Whether a message may choose the algorithm where the credential is bound to none, as its ancestor lets it: among the current
   * ones of the credential's own kind of key. Default false: it may only confirm the default.
   */
  readonly messageChooses?: boolean
  /** How signatures are rendered in a claim. */
  readonly encoding: TextEncoding
  /** The form of ECDSA signatures within that encoding. Default `p1363`: `r || s`. */
  readonly ecdsaForm?: 'p1363' | 'der'
  /** Gives the claims on a message, `undefined` where it does not carry this scheme, a refusal where it is malformed. */
  read(message: Message): readonly C[] | Refusal | undefined
  /**
   * Gives claims that stand in the content, in schemes of which some old client puts them there. Asked where no scheme found a
   * signature or a fault by `read`; gives `undefined` without reading content that cannot hold a claim.
   */
  readContent?(message: Message, context: BaseContext): Steps<readonly C[] | Refusal | undefined>
  /** Gives the canonical form of a message under a claim, for both directions. */
  base(message: Message, claim: C, context: BaseContext): Asked<SignatureBase | Refusal>
  /** Decides what to sign. Throws `CountersignError` where the message cannot be signed. */
  draft(input: DraftInput): Steps<Draft<C>>
  /** Gives the fields that carry a finished signature. */
  write(draft: Draft<C>, signature: string): Patch
  /**
   * Gives the challenge fields that tell a client how to sign. `required`: component identifiers of the policy. `reason`: why
   * a signature of this scheme was refused; nothing may be told of it that tells an unknown key from a wrong signature.
   */
  challenge(required: readonly string[], reason?: Reason): readonly (readonly [name: string, value: string])[]
  /** Status of refusals other than those fixed by the reason table, where the ancestor had its own. */
  readonly refusalStatus?: number
}
