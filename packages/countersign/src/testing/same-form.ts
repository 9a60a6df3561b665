import { equalBytes } from '../bytes/equal.ts'
import type { RequestMessage } from '../message/message.ts'
import { pathOf, queryOf } from '../message/target.ts'

/**
 * Tells whether two requests are one to an application that reads the query as a form: equal but for the order of
 * parameters and the spelling of their escapes, `a` for `a=`, empty parameters, malformed UTF-8. Judged by the URL parser
 * of the runtime. For `isSame` of the scheme contract, where a scheme signs the query sorted and decoded.
 */
export function isSameForm(signed: RequestMessage, received: RequestMessage): boolean {
  return (
    signed.method === received.method &&
    pathOf(signed.target) === pathOf(received.target) &&
    parametersOf(signed) === parametersOf(received) &&
    signed.fields.length === received.fields.length &&
    signed.fields.every((field, i) => field === received.fields[i]) &&
    equalBytes(contentOf(signed), contentOf(received))
  )
}

function parametersOf({ target }: RequestMessage): string {
  // The `&` in front keeps a query that begins with `?` whole: URLSearchParams would take that mark for its own.
  const parameters = new URLSearchParams(`&${queryOf(target) ?? ''}`)
  return Array.from(parameters, (pair) => JSON.stringify(pair))
    .sort()
    .join()
}

function contentOf({ body }: RequestMessage): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0)
}
