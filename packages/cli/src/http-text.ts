import { misuse } from './failure.ts'
import { readFieldLine } from './field-line.ts'

/** A request as it stands in HTTP/1.1 text, nothing decoded or joined. */
export interface HttpText {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP\/1\.[01]$/

/** Longest head taken, in bytes. */
const headLimitBytes = 262_144

/**
 * Reads a request as raw HTTP/1.1 text: request line, fields, an empty line, the body by Content-Length or chunks.
 * Lines may end in LF alone, as saved by editors; one line break behind the body is ignored. RFC 9112 section 2.1.
 * @throws Failure that says which line is not HTTP
 */
export function readHttpText(bytes: Uint8Array): HttpText {
  const { head, bodyStart } = splitHead(bytes)
  const lines = head.split(/\r?\n/)
  const start = requestLine.exec(lines[0] ?? '')
  if (start === null) {
    throw misuse(
      'line 1: expected a request line such as "GET /path HTTP/1.1" (raw HTTP/1.1 text, not JSON or HAR)',
    )
  }
  const fields = lines.slice(1).map((line, i) => {
    const field = readFieldLine(line)
    if (field === undefined) throw misuse(`line ${i + 2}: expected a field such as "Host: example.com"`)
    return field
  })
  return {
    method: start[1] ?? '',
    target: start[2] ?? '',
    fields,
    body: readBody(fields, bytes.subarray(bodyStart)),
  }
}

function splitHead(bytes: Uint8Array): { readonly head: string; readonly bodyStart: number } {
  const text = Buffer.from(bytes.subarray(0, headLimitBytes)).toString('latin1')
  const end = /\r?\n\r?\n/.exec(text)
  if (end !== null) return { head: text.slice(0, end.index), bodyStart: end.index + end[0].length }
  // Without an empty line the text may still be a whole head that lost its last line break.
  if (bytes.length <= headLimitBytes) return { head: text.replace(/\r?\n$/, ''), bodyStart: bytes.length }
  throw misuse(`no HTTP request: no empty line within ${headLimitBytes} bytes`)
}

function readBody(fields: HttpText['fields'], rest: Uint8Array): Uint8Array {
  const values = (lowerName: string) =>
    fields.filter(([name]) => name.toLowerCase() === lowerName).map(([, value]) => value)
  const codings = values('transfer-encoding')
  const lengths = values('content-length')
  if (codings.length > 0) {
    if (lengths.length > 0) throw misuse('Transfer-Encoding and Content-Length exclude each other')
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
      throw misuse('Transfer-Encoding: only chunked can be read')
    }
    return readChunks(rest)
  }
  const declared = lengths[0] ?? '0'
  if (lengths.length > 1 || !/^(0|[1-9][0-9]{0,9})$/.test(declared)) {
    throw misuse('Content-Length: expected one whole number')
  }
  return cut(rest, Number(declared), lengths.length === 0)
}

function cut(rest: Uint8Array, length: number, undeclared: boolean): Uint8Array {
  if (rest.length < length) throw misuse(`the body has ${rest.length} bytes, Content-Length says ${length}`)
  const beyond = Buffer.from(rest.subarray(length, length + 3)).toString('latin1')
  if (beyond !== '' && beyond !== '\n' && beyond !== '\r\n') {
    throw misuse(
      undeclared
        ? 'there is a body, but no Content-Length that says where it ends'
        : `there are ${rest.length - length} bytes behind the ${length} that Content-Length says`,
    )
  }
  return rest.subarray(0, length)
}

/** Chunks as sent: sizes in hex, CRLF after each; extensions are passed over. RFC 9112 section 7.1. */
function readChunks(rest: Uint8Array): Uint8Array {
  const bytes = Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength)
  const chunks: Uint8Array[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const line = lineEnd < 0 || lineEnd - at > 1024 ? '' : bytes.toString('latin1', at, lineEnd)
    const size = /^([0-9A-Fa-f]{1,8})(;[\t\x20-\x7e]*)?$/.exec(line)?.[1]
    if (size === undefined)
      throw misuse(`byte ${at} of the body: expected the size of a chunk, in hex, and CRLF`)
    const length = Number.parseInt(size, 16)
    at = lineEnd + 2
    if (length === 0) break
    if (at + length + 2 > bytes.length || bytes.toString('latin1', at + length, at + length + 2) !== '\r\n') {
      throw misuse(`byte ${at} of the body: the chunk does not have the ${length} bytes that it says`)
    }
    chunks.push(bytes.subarray(at, at + length))
    at += length + 2
  }
  const end = bytes.toString('latin1', at)
  if (end !== '\r\n' && end !== '') throw misuse(`byte ${at} of the body: trailers cannot be read`)
  return Buffer.concat(chunks)
}
