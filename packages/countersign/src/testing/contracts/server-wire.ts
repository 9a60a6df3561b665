import { concatBytes } from '../../bytes/concat.ts'
import { type FieldLines, fieldValue } from '../../message/field-lines.ts'
import { must } from './contract-case.ts'

/** A TCP connection as the contract uses it. Over `node:net` it takes some twenty lines. */
export interface RawConnection {
  write(bytes: Uint8Array): void
  /** Gives the next bytes, or `undefined` once the server has closed or reset the connection. */
  read(): Promise<Uint8Array | undefined>
  destroy(): void
}

/** A response as it came over the wire. */
export interface WireResponse {
  readonly status: number
  readonly fields: FieldLines
  /** Each character is one byte. */
  readonly body: string
}

/** A connection that writes text and reads responses. */
export interface WireClient {
  /** Text is sent with one byte for each character. */
  write(data: string | Uint8Array): void
  /** Gives the next response, interim ones included; `undefined` where the connection ends before one is whole. */
  next(toHead?: boolean): Promise<WireResponse | undefined>
  /** Waits until the server closes the connection, whatever it still sends. */
  closed(): Promise<void>
  destroy(): void
}

/** Encodes text with one byte for each character, as header fields go over the wire. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** Lets what was written so far go out in a packet of its own. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

/** Reads HTTP/1.1 responses from a raw connection. */
export function wireClient(connection: RawConnection): WireClient {
  let buffer = ''
  let isOpen = true

  const more = async (): Promise<boolean> => {
    const bytes = isOpen ? await connection.read() : undefined
    isOpen = bytes !== undefined
    if (bytes !== undefined) buffer += text(bytes)
    return isOpen
  }
  const through = async (mark: string): Promise<string | undefined> => {
    for (;;) {
      const at = buffer.indexOf(mark)
      if (at >= 0) return take(at + mark.length)
      if (!(await more())) return undefined
    }
  }
  const take = (length: number): string => {
    const taken = buffer.slice(0, length)
    buffer = buffer.slice(length)
    return taken
  }
  const exactly = async (length: number): Promise<string | undefined> => {
    while (buffer.length < length) if (!(await more())) return undefined
    return take(length)
  }
  const chunks = async (): Promise<string | undefined> => {
    for (let body = ''; ; ) {
      const size = await through('\r\n')
      const chunk = size === undefined ? undefined : await exactly(Number.parseInt(size, 16) + 2)
      if (chunk === undefined) return undefined
      if (chunk === '\r\n') return body
      body += chunk.slice(0, -2)
    }
  }
  const rest = async (): Promise<string> => {
    while (await more());
    return take(buffer.length)
  }

  return {
    write: (data) => connection.write(typeof data === 'string' ? latin1(data) : data),
    async next(toHead = false) {
      const head = await through('\r\n\r\n')
      if (head === undefined) return undefined
      const [statusLine = '', ...lines] = head.slice(0, -4).split('\r\n')
      const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1])
      must(status >= 100, 'the server answers in HTTP/1.1')
      const fields = lines.flatMap((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1).trim()]
      })
      const length = fieldValue(fields, 'content-length')
      const body =
        toHead || status < 200 || status === 204
          ? ''
          : length !== undefined
            ? await exactly(Number(length))
            : fieldValue(fields, 'transfer-encoding') === 'chunked'
              ? await chunks()
              : await rest()
      return body === undefined ? undefined : { status, fields, body }
    },
    async closed() {
      while (await more());
    },
    destroy: () => connection.destroy(),
  }
}

/** Writes a request. Content gets a Content-Length unless `fields` frame it themselves. */
export function requestBytes(request: {
  readonly method: string
  readonly target: string
  readonly fields: FieldLines
  readonly body?: Uint8Array | undefined
}): Uint8Array {
  const { method, target, fields, body } = request
  let head = `${method} ${target} HTTP/1.1\r\n`
  for (let i = 0; i + 1 < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
  const framed = ['content-length', 'transfer-encoding'].some(
    (name) => fieldValue(fields, name) !== undefined,
  )
  if (body !== undefined && !framed) head += `Content-Length: ${body.length}\r\n`
  return concatBytes([latin1(`${head}\r\n`), body ?? new Uint8Array(0)])
}

function text(bytes: Uint8Array): string {
  let characters = ''
  for (let i = 0; i < bytes.length; i += 4096)
    characters += String.fromCharCode(...bytes.subarray(i, i + 4096))
  return characters
}
