import { type Clock, type Credential, createSigner, requestMessage, rfc9421, type Signer } from 'countersign'

/** Secret of the credentials in these tests; it protects nothing. */
export const testSecret = 'a secret of thirty-two characters'

/** A credential that the gateway under test knows. */
export const testCredential: Credential = {
  id: 'caller-1',
  secret: testSecret,
  owner: 'Ada Lovelace',
  rights: ['invoices:read', 'invoices:write'],
}

/** What a signed request is made of. */
export interface SignedInput {
  readonly method?: string
  readonly target?: string
  readonly host?: string
  /** Further field lines, in order; written as given. */
  readonly fields?: readonly (readonly [name: string, value: string])[]
  readonly body?: Buffer
  readonly scheme?: 'http' | 'https'
  /** Components covered besides the default ones. */
  readonly covers?: readonly string[]
  readonly credential?: Credential
  readonly clock?: Clock
}

/** A signed request as field lines, ready to be written to a socket, whole or changed. */
export interface SignedRequest {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

/** Signs a request by RFC 9421 as any client would, with the library's own signer. */
export async function signedRequest(input: SignedInput = {}): Promise<SignedRequest> {
  const { method = 'GET', target = '/invoices?id=7', host = 'api.example.test', scheme = 'http' } = input
  const body = input.body ?? Buffer.alloc(0)
  const given: (readonly [string, string])[] = [['Host', host], ...(input.fields ?? [])]
  const signer = signerFor(input)
  const patch = await signer.sign(
    requestMessage({
      method,
      url: `${scheme}://${host}${target}`,
      target,
      headers: given,
      ...(body.length === 0 ? {} : { body }),
    }),
  )
  return { method, target, fields: [...given, ...patch.set], body }
}

function signerFor({ credential = testCredential, covers, clock }: SignedInput): Signer {
  return createSigner({
    scheme: covers === undefined ? rfc9421() : rfc9421({ covers }),
    credential,
    ...(clock === undefined ? {} : { clock }),
  })
}

/** How the content is framed. */
export type Framing = 'length' | 'chunked'

/** Writes a request as bytes. Content is framed by its length unless told otherwise; the connection ends with the answer. */
export function requestBytes(request: SignedRequest, framing: Framing = 'length'): Buffer {
  const lines = [`${request.method} ${request.target} HTTP/1.1`]
  for (const [name, value] of request.fields) lines.push(`${name}: ${value}`)
  lines.push('Connection: close')
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked')
  else if (request.body.length > 0) lines.push(`Content-Length: ${request.body.length}`)
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return Buffer.concat([head, framing === 'chunked' ? chunked(request.body) : request.body])
}

/** Writes bytes in chunks of up to 1000. */
export function chunked(body: Buffer, size = 1000): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size)
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  pieces.push(Buffer.from('0\r\n\r\n'))
  return Buffer.concat(pieces)
}
