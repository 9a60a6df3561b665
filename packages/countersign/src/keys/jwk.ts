import { base64urlDecode } from '../bytes/base64.ts'
import { concatBytes } from '../bytes/concat.ts'
import {
  type AsymmetricKind,
  bitsOfModulus,
  coordinateBytes,
  ecMaterial,
  ed25519Material,
  invalidKey,
  type JwkMaterial,
  type KeyMaterial,
  rsaMaterial,
} from './material.ts'

/** A JSON Web Key. RFC 7517. */
export interface Jwk {
  readonly kty?: string
  readonly crv?: string
  readonly alg?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly [member: string]: unknown
}

/** Members that hold the key, by kind: those of the public half, and those that the private half adds. */
interface Members {
  readonly public: readonly string[]
  readonly private: readonly string[]
}

const rsaMembers: Members = { public: ['n', 'e'], private: ['d', 'p', 'q', 'dp', 'dq', 'qi'] }
const ecMembers: Members = { public: ['crv', 'x', 'y'], private: ['d'] }
const okpMembers: Members = { public: ['crv', 'x'], private: ['d'] }

// Every member that holds key material in some kind of key; one that belongs to another kind makes a key ambiguous.
const materialMembers = ['k', 'n', 'e', 'crv', 'x', 'y', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const

// `alg` of RFC 7518 section 3.1 and RFC 8037, with the RSA padding that it binds the key to.
const algorithmsOf: Readonly<Record<AsymmetricKind, ReadonlyMap<string, KeyMaterial['padding']>>> = {
  ed25519: new Map([
    ['EdDSA', undefined],
    ['Ed25519', undefined],
  ]),
  p256: new Map([['ES256', undefined]]),
  p384: new Map([['ES384', undefined]]),
  rsa: new Map([
    ['PS512', 'pss'],
    ['RS256', 'pkcs1'],
  ]),
}

/**
 * Reads a JWK. Refuses: symmetric keys, members of another kind of key, half a private key, `use` other than `sig`,
 * `key_ops` without the operation of this half, an `alg` that is not one of ours, values that are not canonical
 * base64url of the right length (RFC 7518 section 6).
 * @throws CountersignError `key-invalid`, `key-weak`
 */
export function readJwk(jwk: Jwk): KeyMaterial {
  const { kind, members } = kindOf(jwk)
  const half = has(jwk, 'd') ? 'private' : 'public'
  const expected = half === 'private' ? [...members.public, ...members.private] : members.public
  for (const member of materialMembers) {
    if (has(jwk, member) && !expected.includes(member)) {
      throw invalidKey(
        `the JWK has the member ${member}, which does not belong to a ${half} key of this kind`,
      )
    }
  }
  checkUse(jwk, half)
  const padding = paddingOf(jwk, kind)
  const material: Record<string, string> = { kty: text(jwk, 'kty') }
  for (const member of expected) material[member] = text(jwk, member)
  return judge(kind, half, material, padding)
}

function kindOf(jwk: Jwk): { readonly kind: AsymmetricKind; readonly members: Members } {
  const kty = text(jwk, 'kty')
  if (kty === 'RSA') return { kind: 'rsa', members: rsaMembers }
  if (kty === 'oct') throw invalidKey('a JWK of kty oct is a secret, not a key pair: give it as secret')
  const crv = kty === 'OKP' || kty === 'EC' ? text(jwk, 'crv') : ''
  if (kty === 'OKP' && crv === 'Ed25519') return { kind: 'ed25519', members: okpMembers }
  if (kty === 'EC' && crv === 'P-256') return { kind: 'p256', members: ecMembers }
  if (kty === 'EC' && crv === 'P-384') return { kind: 'p384', members: ecMembers }
  throw invalidKey('expected a JWK of kty RSA, EC with crv P-256 or P-384, or OKP with crv Ed25519')
}

function checkUse(jwk: Jwk, half: KeyMaterial['half']): void {
  if (has(jwk, 'use') && jwk.use !== 'sig') throw invalidKey('the JWK is not for signatures: use is not sig')
  if (!has(jwk, 'key_ops')) return
  const operations: unknown = jwk.key_ops
  const operation = half === 'private' ? 'sign' : 'verify'
  if (!Array.isArray(operations) || !operations.includes(operation)) {
    throw invalidKey(`the JWK is a ${half} key and its key_ops do not list ${operation}`)
  }
  if (new Set(operations).size < operations.length) {
    throw invalidKey('the JWK lists an operation twice in key_ops')
  }
}

function paddingOf(jwk: Jwk, kind: AsymmetricKind): KeyMaterial['padding'] {
  if (!has(jwk, 'alg')) return undefined
  const allowed = algorithmsOf[kind]
  const alg = text(jwk, 'alg')
  if (!allowed.has(alg))
    throw invalidKey(`the JWK is bound to an alg other than ${[...allowed.keys()].join(', ')}`)
  return allowed.get(alg)
}

function judge(
  kind: AsymmetricKind,
  half: KeyMaterial['half'],
  jwk: JwkMaterial,
  padding: KeyMaterial['padding'],
): KeyMaterial {
  const found = { half, form: { kind: 'jwk', jwk } } as const
  if (kind === 'rsa') {
    for (const member of Object.keys(jwk)) if (member !== 'kty') number(jwk, member)
    return rsaMaterial(
      found,
      { modulusBits: bitsOfModulus(number(jwk, 'n')), exponent: number(jwk, 'e') },
      padding,
    )
  }
  const size = kind === 'ed25519' ? 32 : coordinateBytes(kind)
  for (const member of ['x', 'y', 'd']) {
    if (has(jwk, member) && bytes(jwk, member).length !== size) {
      throw invalidKey(`the member ${member} of the JWK is not of ${size} bytes`)
    }
  }
  const x = bytes(jwk, 'x')
  return kind === 'ed25519'
    ? ed25519Material(found, x)
    : ecMaterial(found, kind, concatBytes([x, bytes(jwk, 'y')]))
}

/** Own members only; one set to `undefined` is absent, as JSON has it. */
function has(jwk: Jwk, member: string): boolean {
  return Object.hasOwn(jwk, member) && jwk[member] !== undefined
}

function text(jwk: Jwk, member: string): string {
  const value: unknown = has(jwk, member) ? jwk[member] : undefined
  // 2732 characters hold 16384 bits.
  if (typeof value !== 'string' || value.length > 2732) {
    throw invalidKey(`the JWK has no usable member ${member}`)
  }
  return value
}

function bytes(jwk: JwkMaterial, member: string): Uint8Array {
  const value = base64urlDecode(jwk[member] ?? '')
  if (value === undefined) throw invalidKey(`the member ${member} of the JWK is not canonical base64url`)
  return value
}

function number(jwk: JwkMaterial, member: string): Uint8Array {
  const value = bytes(jwk, member)
  // RFC 7518 section 2: a Base64urlUInt has the fewest octets that hold the value.
  if (value.length === 0 || value[0] === 0)
    throw invalidKey(`the member ${member} of the JWK has leading zeros`)
  return value
}
