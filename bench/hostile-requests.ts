import { randomBytes } from 'node:crypto'
import { benchAuthority, benchComponents, benchKeyId, benchNow, benchTarget } from './requests.ts'

/** A request made to be dear to refuse. */
export interface HostileRequest {
  readonly name: string
  readonly target: string
  readonly rawHeaders: readonly string[]
}

type Fields = readonly (readonly [string, string])[]

/** What a client may send in one header. */
const headerBytes = 10_240
/** Just below the longest `Signature-Input` that is looked at, so that all of it is read. */
const readBytes = 8_000

const list = `(${benchComponents.map((name) => `"${name}"`).join(' ')})`
const least = '"@method" "@target-uri" "content-digest"'
const digest = `sha-256=:${Buffer.alloc(32, 7).toString('base64')}:`
const wrongMac = Buffer.alloc(32, 9).toString('base64')

/** Makes one request of each kind. Two calls give different texts, so that no cache knows them. */
export function hostileRequests(): readonly HostileRequest[] {
  // A letter in front, since it also serves as a label; 12 in all, since it also serves as base64.
  const mark = `m${randomBytes(6).toString('hex').slice(1)}`
  return [...texts(mark), ...parameters(mark), ...signatures(mark), ...components(mark), ...messages(mark)]
}

/** `Signature-Input` that is not even a dictionary of lists, or says the same thing over and over. */
function texts(mark: string): readonly HostileRequest[] {
  const inputs: readonly (readonly [string, string, string])[] = [
    ['parentheses', 'sig1=', '('],
    ['quotes', 'sig1=(', '"'],
    ['pairs of quotes and blanks', 'sig1=(', '"" '],
    ['backslashes in a string', 'sig1=("', '\\\\'],
    ['escaped quotes in a string', 'sig1=("', '\\"'],
    ['commas', 'sig1=()', ','],
    ['commas and blanks', 'sig1=()', ' , '],
    ['blanks in a list', 'sig1=("@method"', ' '],
    ['blanks behind a member', 'sig1=()', ' '],
    ['tabs behind a member', 'sig1=()', '\t'],
    ['equals signs', 'sig1', '='],
    ['semicolons', 'sig1=()', ';'],
    ['semicolons and blanks', 'sig1=()', '; '],
    ['a label without end', '', 'a'],
    ['stars and dots', '*', '.*'],
    ['one string without end', 'sig1=("', 'a'],
    ['bytes above 0x7f', 'sig1=("', '\xe9'],
    ['control characters', 'sig1=("', '\x01'],
    ['base64 in a list', 'sig1=(:', 'AAAA'],
    ['a display string of escapes', 'sig1=(%"', '%c3%a9'],
    ['digits', 'sig1=();created=', '9'],
    ['decimals', 'sig1=(', '1.1 '],
    ['dates', 'sig1=(', '@1 '],
    ['empty members with one label', 'sig1=()', ', sig1=()'],
    ['one parameter again and again', 'sig1=()', ';a'],
    ['true parameters again and again', 'sig1=()', ';a=?1'],
    ['items in place of lists', 'sig1=1', ', sig1=1'],
    ['one component again and again', 'sig1=("@method"', ' "@method"'],
  ]
  return inputs.flatMap(([name, start, piece]) =>
    [headerBytes, readBytes].map((bytes) =>
      hostile(`${name}, ${bytes / 1000} KB`, [
        ['Signature-Input', fill(`${mark}=(), ${start}`, piece, bytes)],
        ['Signature', `sig1=:${wrongMac}:`],
      ]),
    ),
  )
}

/** `Signature-Input` in good form, with more or longer parameters than anyone needs. */
function parameters(mark: string): readonly HostileRequest[] {
  const long = 'k'.repeat(readBytes - 600)
  const many = (count: number) => Array.from({ length: count }, (_, i) => `;a${i}`).join('')
  const signed = (name: string, input: string) =>
    hostile(name, [
      ['Content-Digest', digest],
      ['Signature-Input', input],
      ['Signature', `sig1=:${wrongMac}:`],
    ])
  return [
    signed('parameters of one signature', `sig1=${list}${params(mark)}${many(1300)}`),
    signed('parameters of one component', `sig1=("@method"${many(1300)} "@target-uri")${params(mark)}`),
    signed(
      'parameters of each of many components',
      `sig1=(${names(30, (i) => `"x${i}"${many(40)}`)})${params(mark)}`,
    ),
    signed('a long keyid', `sig1=${list};created=${benchNow};keyid="${long}";nonce="${mark}"`),
    signed(
      'a long keyid with escapes',
      `sig1=${list};created=${benchNow};keyid="${'\\"'.repeat(3500)}";nonce="${mark}"`,
    ),
    signed('a long nonce', `sig1=${list};created=${benchNow};keyid="${benchKeyId}";nonce="${mark}${long}"`),
    signed('a long tag', `sig1=${list}${params(mark)};tag="${long}"`),
    signed('an unknown keyid', `sig1=${list};created=${benchNow};keyid="${mark}";nonce="${mark}"`),
  ]
}

/** Many signatures, or one whose value is long. */
function signatures(mark: string): readonly HostileRequest[] {
  const inputs = (count: number, covers: string) =>
    names(count, (i) => `s${i}=${covers}${params(`${mark}${i}`)}`, ', ')
  const macs = (count: number) => names(count, (i) => `s${i}=:${wrongMac}:`, ', ')
  const one = `sig1=${list}${params(mark)}`
  const lone = (name: string, value: string) =>
    hostile(name, [
      ['Content-Digest', digest],
      ['Signature-Input', one],
      ['Signature', value],
    ])
  return [
    ...[2, 8, 9, 64].map((count) =>
      hostile(`${count} signatures`, [
        ['Content-Digest', digest],
        ['Signature-Input', inputs(count, `(${least})`)],
        ['Signature', macs(count)],
      ]),
    ),
    hostile('64 signatures, each in a line of its own', [
      ['Content-Digest', digest],
      ...Array.from(
        { length: 64 },
        (_, i) => ['Signature-Input', `s${i}=(${least})${params(`${mark}${i}`)}`] as const,
      ),
      ...Array.from({ length: 64 }, (_, i) => ['Signature', `s${i}=:${wrongMac}:`] as const),
    ]),
    hostile('64 labels with empty lists', [
      ['Signature-Input', names(64, (i) => `s${i}=()${params(`${mark}${i}`)}`, ', ')],
      ['Signature', macs(64)],
    ]),
    hostile('8 signatures, each over 8 KB of fields', [
      ['Content-Digest', digest],
      ['X-Long', fill(mark, 'x', readBytes)],
      ['Signature-Input', inputs(8, `(${least} "x-long")`)],
      ['Signature', macs(8)],
    ]),
    lone('a signature of 10 KB', `sig1=:${'A'.repeat(headerBytes)}:`),
    lone('a signature of 8 KB', `sig1=:${'A'.repeat(readBytes)}:`),
    lone('a signature of equals signs', `sig1=:${'='.repeat(readBytes)}:`),
    lone('a signature of colons', `sig1=${':'.repeat(readBytes)}`),
    lone('a signature with 1,300 parameters', `sig1=:${wrongMac}:${names(1300, (i) => `;a${i}`, '')}`),
    lone(
      '900 labels without a signature',
      names(900, (i) => `s${i}=:AAA:`, ', '),
    ),
  ]
}

/** Signatures that stand for nothing but cover much: a base has to be built before their MAC is known to be wrong. */
function components(mark: string): readonly HostileRequest[] {
  const members = names(280, (i) => `m${i}=:${mark}AAAA:`, ', ')
  const keyed = (field: string) => names(28, (i) => `"${field}";key="m${i}"`)
  const covering = (name: string, covers: string, fields: Fields, count = 1) =>
    hostile(name, [
      ['Content-Digest', digest],
      ...fields,
      ['Signature-Input', names(count, (i) => `s${i}=(${covers})${params(`${mark}${i}`)}`, ', ')],
      ['Signature', names(count, (i) => `s${i}=:${wrongMac}:`, ', ')],
    ])
  const lines = Array.from({ length: 110 }, (_, i) => [`X-Line-${i}`, fill(mark, 'x', 70)] as const)
  const same = Array.from({ length: 110 }, () => ['X-Same', fill(mark, 'x', 70)] as const)
  const structured: Fields = [['Priority', members]]
  return [
    covering('300 components', `${least} ${names(300, (i) => `"x-line-${i}"`)}`, []),
    covering('29 components over 110 lines', `${least} ${names(29, (i) => `"x-line-${81 + i}"`)}`, lines),
    covering('a component of 110 lines', `${least} "x-same"`, same),
    covering('a component of 8 KB', `${least} "x-long"`, [['X-Long', fill(mark, 'x', readBytes)]]),
    covering('a component of 8 KB as bytes', `${least} "x-long";bs`, [
      ['X-Long', fill(mark, 'x', readBytes)],
    ]),
    covering('a component of 8 KB of line folds', `${least} "x-long"`, [
      ['X-Long', fill(mark, ' \r\n ', readBytes)],
    ]),
    covering('a component of 8 KB of blanks', `${least} "x-long"`, [
      ['X-Long', `${fill(mark, ' ', readBytes)}\x01`],
    ]),
    covering('a structured field of 280 members', `${least} "priority";sf`, structured),
    covering('28 members of a structured field', `${least} ${keyed('priority')}`, structured),
    covering('28 members of a structured field, 8 times', `${least} ${keyed('priority')}`, structured, 8),
    covering(
      'the last of 28 members is not there',
      `${least} ${keyed('priority')} "priority";key="z"`,
      structured,
    ),
    hostile('content-digest of 280 members', [
      ['Content-Digest', members],
      ['Signature-Input', `sig1=${list}${params(mark)}`],
      ['Signature', `sig1=:${wrongMac}:`],
    ]),
  ]
}

/** The rest of a message. */
function messages(mark: string): readonly HostileRequest[] {
  const fields: Fields = [
    ['Content-Digest', digest],
    [
      'Signature-Input',
      `sig1=("@method" "@target-uri" "@path" "@query" "@request-target" "content-digest")${params(mark)}`,
    ],
    ['Signature', `sig1=:${wrongMac}:`],
  ]
  const long = (piece: string) => fill(`/${mark}?`, piece, readBytes)
  return [
    hostile('a target of 8 KB', fields, long('a=b&')),
    hostile('a target of escapes', fields, long('%7e')),
    hostile('a target of dots', fields, fill(`/${mark}`, '/..', readBytes)),
    hostile('a target of question marks', fields, long('?')),
    hostile('a Host of 10 KB', fields, undefined, fill('a', 'a', headerBytes)),
    hostile('a Host of colons', fields, undefined, fill('a', ':', headerBytes)),
    hostile('an Authorization of 10 KB', [['Authorization', fill('Digest ', 'a="b", ', headerBytes)]]),
    hostile('an Authorization of commas', [['Authorization', fill('USTUDIO-HMAC-V2 ', ',', headerBytes)]]),
    hostile('an Authorization of blanks', [['Authorization', fill('USTUDIO-HMAC-V2', ' ', headerBytes)]]),
    hostile(
      '100 lines and no signature',
      Array.from({ length: 100 }, (_, i) => [`X-${i}-${mark}`, fill('', 'x', 80)]),
    ),
    hostile('a keyid that is no text', [
      ['Signature-Input', `sig1=${list};created=${benchNow};keyid=${'1'.repeat(15)}`],
    ]),
  ]
}

function hostile(
  name: string,
  fields: Fields,
  target = benchTarget(7),
  host = benchAuthority,
): HostileRequest {
  const rawHeaders = [
    ['Host', host],
    ['User-Agent', 'example-client/1.0'],
    ['Content-Type', 'application/json'],
    ['Content-Length', '1024'],
    ['X-Request-Id', '0123456789abcdef'],
    ...fields,
  ]
  // Flat texts of their own, as a parser makes them.
  return {
    name,
    target,
    rawHeaders: rawHeaders.flat().map((text) => Buffer.from(text, 'latin1').toString('latin1')),
  }
}

function params(nonce: string): string {
  return `;created=${benchNow};keyid="${benchKeyId}";nonce="${nonce}"`
}

function names(count: number, write: (i: number) => string, between = ' '): string {
  return Array.from({ length: count }, (_, i) => write(i)).join(between)
}

/** Repeats a piece behind a start until the text has so many characters. */
function fill(start: string, piece: string, length: number): string {
  return (start + piece.repeat(Math.ceil(length / piece.length))).slice(0, length)
}
