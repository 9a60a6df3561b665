import { fieldLines, wireRequest } from '../message/message.ts'
import { CountersignError } from '../reasons/error.ts'
import type { Signer } from '../signer/signer.ts'
import { type Outgoing, readOutgoing, withoutEmptyQuery } from './fetch-outgoing.ts'
import {
  bodyFields,
  credentialFields,
  nextRedirect,
  type Redirect,
  type RedirectOptions,
  redirectRules,
} from './redirect.ts'

/** A fetch as the runtime has it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** What `signedFetch` takes. */
export interface SignedFetchOptions extends RedirectOptions {
  /** Sends what was signed. Default: the `fetch` of the runtime, looked up at each call. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Longest body read from a stream, a Blob, a form or a `Request`, in bytes. Default 16 MiB. What is in memory has no limit. */
  readonly limitBytes?: number
}

/**
 * Gives a `fetch` that signs: the URL as it goes out (normalised by the URL standard), the fields, the bytes of the body.
 * Each call and each same-origin redirect is signed afresh. A body is read whole before it is sent, since its digest
 * stands in front of it. An empty query (`/path?`) is sent without its `?`, as runtimes disagree about it.
 * @throws CountersignError `redirect-refused` (see `RedirectOptions`), `body-unavailable`, `component-unavailable`,
 * `config-invalid`; failures of the network are those of `fetch`.
 */
export function signedFetch(signer: Signer, options: SignedFetchOptions = {}): Fetch {
  const rules = redirectRules(options)
  const limitBytes = options.limitBytes ?? 16_777_216
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) {
    throw new CountersignError('config-invalid', 'limitBytes: expected a whole number of bytes')
  }
  const send = options.fetch ?? ((url, init) => globalThis.fetch(url, init))

  return async (input, init) => {
    const first = await readOutgoing(input, init, limitBytes)
    const follows = first.redirect === 'follow'
    let request: Outgoing = first
    let signs = true
    for (let count = 0; ; count++) {
      const { url, headers } = signs ? await signed(signer, request) : request
      const response = await send(url.href, {
        ...request.rest,
        method: request.method,
        headers,
        body: request.body ?? null,
        redirect: follows ? 'manual' : first.redirect,
      })
      if (!follows) return response
      if (response.type === 'opaqueredirect') {
        throw new CountersignError(
          'redirect-refused',
          "this runtime hides redirects, so the next request cannot be signed: use the server's final URL",
        )
      }
      const { status } = response
      const location = response.headers.get('location')
      const next = nextRedirect({ status, location, url, method: request.method, count }, rules)
      if (next === undefined) return count === 0 ? response : asRedirected(response)
      // Frees the connection. A body that cannot be cancelled is of no further interest.
      await response.body?.cancel().catch(() => undefined)
      signs &&= !next.crossesOrigin
      request = afterRedirect(request, next)
    }
  }
}

async function signed(signer: Signer, request: Outgoing): Promise<{ url: URL; headers: Headers }> {
  const { url, method, body } = request
  const fields = ['host', url.host, ...fieldLines(request.headers)]
  // As fetch will say it. Fetch standard, HTTP-network-or-cache fetch: POST and PUT without body say 0.
  const length = body?.length ?? (method === 'POST' || method === 'PUT' ? 0 : undefined)
  if (length !== undefined) fields.push('content-length', String(length))
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const message = wireRequest({ method, target: `${url.pathname}${url.search}`, scheme, fields, body })
  if (message.problem !== undefined)
    throw new CountersignError('config-invalid', `request: ${message.problem}`)
  const patch = await signer.sign(message)

  const headers = new Headers(request.headers)
  for (const [name, value] of patch.set) headers.set(name, value)
  // Browsers drop forbidden names without a word; the signature would then be refused by the server.
  const kept = new Request(url, { method, headers }).headers
  for (const [name] of patch.set) {
    if (kept.get(name) === headers.get(name)) continue
    throw new CountersignError('component-unavailable', `this runtime does not let fetch send ${name}`)
  }
  if (patch.query === undefined || patch.query === '') return { url, headers }
  const extended = new URL(url)
  extended.search = url.search === '' ? patch.query : `${url.search}&${patch.query}`
  return { url: extended, headers }
}

function afterRedirect(request: Outgoing, next: Redirect): Outgoing {
  const headers = new Headers(request.headers)
  if (next.dropsBody) for (const name of bodyFields) headers.delete(name)
  if (next.crossesOrigin) for (const name of credentialFields) headers.delete(name)
  const body = next.dropsBody ? undefined : request.body
  return { ...request, url: withoutEmptyQuery(next.url), method: next.method, headers, body }
}

/** Says of a response, to whoever asks it, that redirects led to it: the runtime saw each hop as a request of its own. */
function asRedirected(response: Response): Response {
  return Object.defineProperty(response, 'redirected', { value: true })
}
