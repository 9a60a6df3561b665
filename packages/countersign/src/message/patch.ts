import { type RequestMessage, wireRequest } from './message.ts'

/** What a signer adds to a request: fields to set (replacing any of that name) and, in a few schemes, query parameters. */
export interface Patch {
  readonly set: readonly (readonly [name: string, value: string])[]
  /** Query to append, encoded, without `?` or `&` in front. */
  readonly query?: string
}

/** Gives the request as it stands once a patch is applied. The fields that were set come last, in their order. */
export function applyPatch(message: RequestMessage, patch: Patch): RequestMessage {
  const names = new Set(patch.set.map(([name]) => name.toLowerCase()))
  const kept = message.fields.filter((_, i) => !names.has((message.fields[i - (i % 2)] ?? '').toLowerCase()))
  const { query } = message.parts
  const mark = query === undefined ? '?' : query === '' ? '' : '&'
  const target = patch.query === undefined ? message.target : `${message.target}${mark}${patch.query}`
  const patched = wireRequest({ ...message, target, fields: [...kept, ...patch.set.flat()] })
  return message.problem === undefined ? patched : { ...patched, problem: message.problem }
}
