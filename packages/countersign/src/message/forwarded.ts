import { CountersignError } from '../reasons/error.ts'
import type { FieldLines } from './field-lines.ts'
import { fieldValues } from './field-lines.ts'
import { isAuthority } from './target.ts'

/** Tells whether the peer at this address may say host and scheme. `undefined` is the address of a Unix socket. */
export type TrustedHops = (address: string | undefined) => boolean

/** What a trusted hop says of the request it received. */
export interface ForwardedOrigin {
  readonly authority: string | undefined
  readonly scheme: 'http' | 'https' | undefined
}

interface Network {
  readonly address: Uint8Array
  readonly prefixBits: number
}

/**
 * Compiles a list of addresses (`192.0.2.1`, `2001:db8::1`), networks (`10.0.0.0/8`, `fd00::/8`) and `unix`, which is
 * a peer on a Unix socket. An IPv4 address and its IPv6-mapped form are the same.
 * @throws CountersignError `config-invalid` for anything else, or a network with bits set behind its prefix.
 */
export function trustedHops(list: readonly string[]): TrustedHops {
  const networks: Network[] = []
  let unix = false
  for (const entry of list) {
    if (entry === 'unix') unix = true
    else networks.push(readNetwork(entry))
  }
  return (address) => {
    if (address === undefined) return unix
    if (networks.length === 0) return false
    const bytes = readAddress(address)
    return bytes !== undefined && networks.some((network) => isWithin(bytes, network))
  }
}

/**
 * Reads `Forwarded` (RFC 7239), `X-Forwarded-Host` and `X-Forwarded-Proto` of a request from a trusted hop. Gives a text
 * where they have more than one reading: several values, a value that is no host or scheme, two fields that disagree.
 */
export function forwardedOrigin(fields: FieldLines): ForwardedOrigin | string {
  const standard = readForwarded(fieldValues(fields, 'forwarded'))
  if (typeof standard === 'string') return standard
  const hosts = fieldValues(fields, 'x-forwarded-host')
  const protocols = fieldValues(fields, 'x-forwarded-proto')
  if (hosts.length > 1 || hosts[0]?.includes(',')) return 'X-Forwarded-Host has more than one value'
  if (protocols.length > 1 || protocols[0]?.includes(',')) return 'X-Forwarded-Proto has more than one value'
  const authority = standard.get('host') ?? hosts[0]
  const scheme = (standard.get('proto') ?? protocols[0])?.toLowerCase()
  if (hosts[0] !== undefined && authority?.toLowerCase() !== hosts[0].toLowerCase()) {
    return 'Forwarded and X-Forwarded-Host disagree'
  }
  if (protocols[0] !== undefined && scheme !== protocols[0].toLowerCase()) {
    return 'Forwarded and X-Forwarded-Proto disagree'
  }
  if (authority !== undefined && !isAuthority(authority)) return 'the forwarded host is not host and port'
  if (scheme === undefined || scheme === 'http' || scheme === 'https') return { authority, scheme }
  return 'the forwarded scheme is neither http nor https'
}

/** Parses the one element of a Forwarded field into its parameters, names in lower case. RFC 7239 section 4. */
function readForwarded(values: readonly string[]): ReadonlyMap<string, string> | string {
  const pairs = new Map<string, string>()
  if (values.length > 1) return 'Forwarded has more than one line'
  const text = values[0]
  if (text === undefined) return pairs
  const pair = /[ \t]*([!#$%&'*+.^_`|~0-9a-z-]+)=(?:([!#$%&'*+.^_`|~0-9a-z-]+)|"([^"\\]*)")(;|$)/iy
  for (let at = 0; at < text.length; at = pair.lastIndex) {
    pair.lastIndex = at
    const found = pair.exec(text)
    const name = found?.[1]?.toLowerCase()
    // A comma stands for a second element: which hop said what is then no longer this hop's word alone.
    if (found === null || name === undefined) return 'Forwarded is not one plain element'
    if (pairs.has(name)) return `Forwarded has ${name} twice`
    pairs.set(name, found[2] ?? found[3] ?? '')
  }
  return pairs
}

function readNetwork(entry: string): Network {
  const slash = entry.indexOf('/')
  const text = slash < 0 ? entry : entry.slice(0, slash)
  const address = readAddress(text)
  const offset = text.includes(':') ? 0 : 96
  const bits = slash < 0 ? 128 - offset : prefixOf(entry.slice(slash + 1), 128 - offset)
  if (address === undefined || bits === undefined) {
    throw new CountersignError(
      'config-invalid',
      `trustProxy: expected IP addresses, networks such as 10.0.0.0/8, or unix; got ${JSON.stringify(entry)}`,
    )
  }
  const network = { address, prefixBits: offset + bits }
  for (let bit = network.prefixBits; bit < 128; bit++) {
    if (bitAt(address, bit) !== 0) {
      throw new CountersignError(
        'config-invalid',
        `trustProxy: ${JSON.stringify(entry)} has bits set behind its prefix; give the first address of the network`,
      )
    }
  }
  return network
}

function prefixOf(text: string, most: number): number | undefined {
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(text) ? Number(text) : most + 1
  return bits <= most ? bits : undefined
}

function isWithin(address: Uint8Array, network: Network): boolean {
  const whole = network.prefixBits >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== network.address[i]) return false
  for (let bit = whole << 3; bit < network.prefixBits; bit++) {
    if (bitAt(address, bit) !== bitAt(network.address, bit)) return false
  }
  return true
}

function bitAt(address: Uint8Array, bit: number): number {
  return ((address[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1
}

/** Reads an IP address into its 16 bytes; IPv4 in its mapped form, `::ffff:0:0/96`. A zone (`%eth0`) is dropped. */
function readAddress(text: string): Uint8Array | undefined {
  const zone = text.indexOf('%')
  const plain = zone < 0 ? text : text.slice(0, zone)
  if (!plain.includes(':')) {
    const quad = readQuad(plain)
    return quad === undefined ? undefined : Uint8Array.of(...mappedPrefix, ...quad)
  }
  const halves = plain.split('::')
  const head = readGroups(halves[0] ?? '', halves.length === 1)
  const tail = readGroups(halves[1] ?? '', true)
  if (halves.length > 2 || head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return Uint8Array.of(...head, ...new Uint8Array(missing), ...tail)
}

const mappedPrefix: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]

/** Reads groups of an IPv6 address; the last may be a dotted quad where it ends the address. RFC 4291 section 2.2. */
function readGroups(text: string, isEnd: boolean): readonly number[] | undefined {
  const bytes: number[] = []
  if (text === '') return bytes
  const groups = text.split(':')
  if (groups.length > 8) return undefined
  for (const [i, group] of groups.entries()) {
    const quad = isEnd && i === groups.length - 1 ? readQuad(group) : undefined
    if (quad !== undefined) bytes.push(...quad)
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 255)
    } else return undefined
  }
  return bytes
}

function readQuad(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  for (const part of parts) if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
  return parts.map(Number)
}
