import { concatBytes } from '../bytes/concat.ts'
import { CountersignError } from '../reasons/error.ts'

/**
 * A request as `fetch` will put it on the wire.
 * @internal
 */
export interface Outgoing {
  /** Normalised by the URL standard; without fragment and without an empty query. */
  readonly url: URL
  readonly method: string
  /** Fields of the caller, and the Content-Type that the runtime derives from the body. */
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer> | undefined
  /** What else the caller said: signal, credentials, cache, a dispatcher. */
  readonly rest: RequestInit
}

/** Members of `Request` that a plain copy would lose: they are getters of its prototype. */
const carried = [
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'referrer',
  'referrerPolicy',
  'signal',
] as const

/**
 * Reads the arguments of a `fetch` call with the runtime's own `Request`, so that URL, method, fields and body are
 * what it would send. A body that is not in memory is read up to the limit.
 * @throws CountersignError `body-unavailable` for a body over the limit or of no known kind; `config-invalid` for a
 * request that cannot carry a signature. TypeError where `Request` throws it.
 * @internal
 */
export async function readOutgoing(
  input: string | URL | Request,
  init: RequestInit | undefined,
  limitBytes: number,
): Promise<Outgoing & { readonly redirect: RequestRedirect }> {
  const given: unknown = init?.body
  if (typeof given === 'object' && given !== null && !isKnownBody(given)) {
    throw new CountersignError(
      'body-unavailable',
      'body: expected text, bytes, URLSearchParams, Blob, FormData or a stream of this runtime. ' +
        'An object is not turned into JSON: pass JSON.stringify(value)',
    )
  }
  const base = new Request(input, init)
  const url = withoutEmptyQuery(new URL(base.url))
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new CountersignError('config-invalid', `url: expected http or https, got ${url.protocol}`)
  }
  if (base.mode === 'no-cors') {
    throw new CountersignError('config-invalid', "mode: 'no-cors' drops the fields that carry a signature")
  }
  const host = base.headers.get('host')
  if (host !== null && host.toLowerCase() !== url.host) {
    // Some runtimes send it, others overwrite it: what would be signed is then not what is sent.
    throw new CountersignError(
      'config-invalid',
      'headers: Host is that of the URL; fetch cannot send another',
    )
  }
  const inMemory = given !== undefined && given !== null && !(given instanceof Blob) && !isReadLater(given)
  const body = await readBody(base, inMemory ? Number.POSITIVE_INFINITY : limitBytes)
  const headers = new Headers(base.headers)
  const declared = headers.get('content-length')
  if (declared !== null && declared !== String(body?.length ?? 0)) {
    throw new CountersignError('config-invalid', 'headers: Content-Length is not the length of the body')
  }
  // Set by fetch itself, last; one spelling on the wire is enough.
  headers.delete('content-length')
  headers.delete('host')
  const rest = {
    ...(input instanceof Request ? pick(input) : {}),
    ...(init === undefined ? {} : pick(init)),
    ...init,
  }
  return { url, method: base.method, headers, body, rest, redirect: base.redirect }
}

/**
 * Drops the fragment, which is never sent, and a `?` with nothing behind it, which only some runtimes send.
 * @internal
 */
export function withoutEmptyQuery(url: URL): URL {
  const plain = new URL(url)
  plain.hash = ''
  if (plain.search === '') plain.search = ''
  return plain
}

function isKnownBody(body: object): boolean {
  return (
    body instanceof URLSearchParams ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof Blob ||
    isReadLater(body)
  )
}

function isReadLater(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  return body instanceof FormData || body instanceof ReadableStream || Symbol.asyncIterator in body
}

async function readBody(request: Request, limitBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (request.body === null) return undefined
  if (limitBytes === Number.POSITIVE_INFINITY) return new Uint8Array(await request.arrayBuffer())
  if (request.body === undefined) {
    // Browsers without request streams: the whole content is the only way, and none looks like an empty one.
    const whole = new Uint8Array(await request.arrayBuffer())
    if (whole.length > limitBytes) throw tooLong(limitBytes)
    return whole.length === 0 ? undefined : whole
  }
  const parts: Uint8Array[] = []
  let length = 0
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concatBytes(parts)
    length += value.length
    if (length > limitBytes) {
      await reader.cancel()
      throw tooLong(limitBytes)
    }
    parts.push(value)
  }
}

function tooLong(limitBytes: number): CountersignError {
  return new CountersignError(
    'body-unavailable',
    `body: more than ${limitBytes} bytes, which would have to be held to be signed: raise limitBytes`,
  )
}

function pick(from: RequestInit | Request): RequestInit {
  const picked: [string, unknown][] = []
  for (const name of carried) if (from[name] !== undefined) picked.push([name, from[name]])
  return Object.fromEntries(picked)
}
