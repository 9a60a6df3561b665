import { CountersignError } from '../reasons/error.ts'
import type { Verified } from '../verifier/verdict.ts'
import type { Verifier } from '../verifier/verifier.ts'
import { errorFrom, type GuardOptions, outcomeOf, warningField } from './guard.ts'
import { type Answer, respond } from './respond.ts'

/** A handler of a host that speaks `fetch`: Workers, Deno, Bun, route handlers. What the host passes on top is kept. */
export type FetchHandler<A extends readonly unknown[]> = (request: Request, ...rest: A) => Promise<Response>

/**
 * Gives a fetch handler that runs `handler` only for an acceptable signature (`undefined` all the same in the modes that
 * let pass what is refused). The body is read from a clone. Such hosts have normalised the URL and joined repeated fields
 * before anyone could look, so the verdict is on what is left. Rejects where a verification cannot end in a verdict.
 * @throws CountersignError `body-already-read` where the body was read before.
 */
export function verifiedFetch<A extends readonly unknown[]>(
  verifier: Verifier,
  options: GuardOptions,
  handler: (request: Request, signature: Verified, ...rest: A) => Response | Promise<Response>,
): FetchHandler<A> {
  return fetchGuard(
    verifier,
    options,
    true,
    (request, signature, rest) => handler(request, signature as Verified, ...rest), // `undefined` only in the modes that the docstring names
  )
}

/**
 * Gives a fetch handler that lets anonymous requests pass too. A signature that is there and not acceptable is refused,
 * never taken for anonymous. Otherwise as `verifiedFetch`.
 */
export function readFetch<A extends readonly unknown[]>(
  verifier: Verifier,
  options: GuardOptions,
  handler: (request: Request, signature: Verified | undefined, ...rest: A) => Response | Promise<Response>,
): FetchHandler<A> {
  return fetchGuard(verifier, options, false, (request, signature, rest) =>
    handler(request, signature, ...rest),
  )
}

function fetchGuard<A extends readonly unknown[]>(
  verifier: Verifier,
  options: GuardOptions,
  needed: boolean,
  run: (request: Request, signature: Verified | undefined, rest: A) => Response | Promise<Response>,
): FetchHandler<A> {
  const { rights, policy, respond: answer = respond } = options
  const verifyOptions = {
    ...(rights === undefined ? {} : { rights }),
    ...(policy === undefined ? {} : { policy }),
  }
  return async (request, ...rest) => {
    if (request.bodyUsed) {
      throw new CountersignError(
        'body-already-read',
        'the body was read before its signature could be checked: verify first, or hand on request.clone()',
      )
    }
    const verdict = await verifier.verify(request, verifyOptions).catch((thrown: unknown) => {
      throw errorFrom(thrown)
    })
    const outcome = outcomeOf(verdict, needed, answer)
    if (outcome.kind === 'refused') return responseOf(outcome.answer)
    const response = await run(request, outcome.signature, rest)
    return outcome.warning === undefined ? response : warned(response, outcome.warning)
  }
}

function responseOf(answer: Answer): Response {
  const headers = new Headers()
  for (const [name, value] of answer.headers) headers.append(name, value)
  const { body } = answer
  // A copy: what `Response` takes must not lie in shared memory, which the type of a Uint8Array leaves open.
  return new Response(body instanceof Uint8Array ? Uint8Array.from(body) : (body ?? null), {
    status: answer.status,
    headers,
  })
}

function warned(response: Response, warning: string): Response {
  // Headers of a response that came from `fetch` cannot be changed.
  const copy = new Response(response.body, response)
  copy.headers.set(warningField, warning)
  return copy
}
