import { base64Encode } from '../bytes/base64.ts'
import { utf8Encode } from '../bytes/utf8.ts'
import { CountersignError } from '../reasons/error.ts'
import { isKey, isToken } from './characters.ts'
import type { BareItem, Dictionary, InnerList, Item, List, Member, Parameters } from './types.ts'

/**
 * Serialises an Item. Throws `config-invalid` where a value is out of range for its kind, as all functions here do.
 * @see RFC 9651 section 4.1.3
 */
export function serializeItem(item: Item): string {
  return serializeBareItem(item) + serializeParameters(item.parameters)
}

/**
 * Serialises a List. An empty list gives empty text: its field must not be sent.
 * @see RFC 9651 section 4.1.1
 */
export function serializeList(list: List): string {
  return list.map(serializeMember).join(', ')
}

/**
 * Serialises a Dictionary. An empty dictionary gives empty text: its field must not be sent.
 * @see RFC 9651 section 4.1.2
 */
export function serializeDictionary(dictionary: Dictionary): string {
  let text = ''
  for (const [key, member] of dictionary) {
    if (text !== '') text += ', '
    text += serializeKey(key)
    if (member.kind === 'boolean' && member.value === true) text += serializeParameters(member.parameters)
    else text += `=${serializeMember(member)}`
  }
  return text
}

/**
 * Serialises an inner list with its parameters: the value of `@signature-params`.
 * @see RFC 9651 section 4.1.1.1, RFC 9421 section 2.3
 */
export function serializeInnerList(list: InnerList): string {
  let text = '('
  for (const item of list.items) text += (text === '(' ? '' : ' ') + serializeItem(item)
  return `${text})${serializeParameters(list.parameters)}`
}

/**
 * Serialises parameters, each with its leading `;`. None give empty text.
 * @see RFC 9651 section 4.1.1.2
 */
export function serializeParameters(parameters: Parameters): string {
  if (parameters.size === 0) return ''
  let text = ''
  for (const [key, value] of parameters) {
    text += `;${serializeKey(key)}`
    if (value.kind !== 'boolean' || value.value !== true) text += `=${serializeBareItem(value)}`
  }
  return text
}

/**
 * Serialises a bare item. Decimals are rounded to three places, half to even.
 * @see RFC 9651 section 4.1.3.1
 */
export function serializeBareItem(bare: BareItem): string {
  if (typeof bare.value !== typeOfValue[bare.kind])
    return refuse(`${bare.kind}: expected another type of value`)
  switch (bare.kind) {
    case 'integer':
      return serializeInteger(bare.value)
    case 'decimal':
      return serializeDecimal(bare.value)
    case 'string':
      return serializeString(bare.value)
    case 'token':
      return isToken(bare.value) ? bare.value : refuse('token: expected a letter or *, then token characters')
    case 'byte-sequence':
      return serializeByteSequence(bare.value)
    case 'boolean':
      return bare.value ? '?1' : '?0'
    case 'date':
      return `@${serializeInteger(bare.value)}`
    case 'display-string':
      return serializeDisplayString(bare.value)
    default:
      return bare satisfies never
  }
}

// Checked at run time as well: without it an ArrayBuffer would print as no bytes and the text `false` as true.
const typeOfValue: Readonly<Record<BareItem['kind'], string>> = {
  integer: 'number',
  decimal: 'number',
  string: 'string',
  token: 'string',
  'byte-sequence': 'object',
  boolean: 'boolean',
  date: 'number',
  'display-string': 'string',
}

/** Serialises a member of a list or dictionary. */
export function serializeMember(member: Member): string {
  return member.kind === 'inner-list' ? serializeInnerList(member) : serializeItem(member)
}

/** RFC 9651 section 4.1.1.3. */
function serializeKey(key: string): string {
  return isKey(key) ? key : refuse('key: expected a lower-case letter or *, then letters, digits, _ - . *')
}

/** RFC 9651 section 4.1.4. Text of 0 for -0. */
function serializeInteger(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) > 999_999_999_999_999)
    return refuse('number: expected a whole number of at most 15 digits')
  return String(value)
}

/** RFC 9651 section 4.1.5. */
function serializeDecimal(value: number): string {
  const thousandths = Number.isFinite(value) ? roundedThousandths(Math.abs(value)) : Number.NaN
  if (!(thousandths <= 999_999_999_999_999))
    return refuse('decimal: expected at most 12 digits before the point')
  const sign = value < 0 && thousandths > 0 ? '-' : ''
  const places = String(thousandths % 1000).padStart(3, '0')
  const end = places.endsWith('00') ? 1 : places.endsWith('0') ? 2 : 3
  return `${sign}${Math.floor(thousandths / 1000)}.${places.slice(0, end)}`
}

// Rounds the decimal that the number is written as, not the binary fraction behind it: 0.0025 is stored as slightly more,
// so `toFixed(3)` and `Math.round` give 0.003, where half to even is 0.002.
function roundedThousandths(value: number): number {
  const text = String(value)
  if (text.includes('e')) return value < 1 ? 0 : Number.POSITIVE_INFINITY
  const [whole = '', fraction = ''] = text.split('.')
  const kept = Number(whole + fraction.slice(0, 3).padEnd(3, '0'))
  const rest = fraction.slice(3)
  // Text of one length or more compares as the digits do: '5' is half, '51' and '6' are more, '49' is less.
  const up = rest === '5' ? kept % 2 === 1 : rest > '5'
  return up ? kept + 1 : kept
}

/** RFC 9651 section 4.1.6. */
function serializeString(value: string): string {
  let text = '"'
  let from = 0
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code < 32 || code > 126) return refuse('string: expected printable ASCII')
    if (code === 34 || code === 92) {
      text += `${value.slice(from, at)}\\`
      from = at
    }
  }
  return `${text}${from === 0 ? value : value.slice(from)}"`
}

/** RFC 9651 section 4.1.8. */
function serializeByteSequence(value: Uint8Array): string {
  return value instanceof Uint8Array
    ? `:${base64Encode(value)}:`
    : refuse('byte sequence: expected a Uint8Array')
}

/** RFC 9651 section 4.1.11. */
function serializeDisplayString(value: string): string {
  // The encoder would write U+FFFD for a lone surrogate, another text than the one given.
  if (/\p{Surrogate}/u.test(value)) return refuse('display string: expected Unicode without lone surrogates')
  let text = '%"'
  for (const byte of utf8Encode(value)) {
    const isPlain = byte >= 32 && byte <= 126 && byte !== 34 && byte !== 37
    text += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`
  }
  return `${text}"`
}

// The value itself stays out of the message: it may be a nonce, a key id or a signature.
function refuse(problem: string): never {
  throw new CountersignError('config-invalid', `structured field: ${problem}`)
}
