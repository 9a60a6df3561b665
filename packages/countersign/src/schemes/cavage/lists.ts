import { hasContent } from '../../message/body.ts'
import { fieldCount } from '../../message/field-lines.ts'
import type { RequestMessage } from '../../message/message.ts'
import { componentsOf } from './names.ts'
import type { HeaderLists, Settings } from './options.ts'
import { targetCoverage } from './target.ts'

const plain: readonly string[] = ['(request-target)', 'host', 'date']
const withContent: readonly string[] = [...plain, 'content-length', 'content-type', 'digest']

/** What a server of Flask-Cavage demands, by method. */
const flaskLists: HeaderLists = {
  GET: plain,
  HEAD: plain,
  DELETE: plain,
  POST: withContent,
  PUT: withContent,
  PATCH: withContent,
  '*': plain,
}

/** Gives the list that a signer signs of a request. */
export function listFor(message: RequestMessage, settings: Settings): readonly string[] {
  const lists = settings.headers ?? (settings.isFlask ? flaskLists : undefined)
  if (lists === undefined) return draftList(message, settings)
  if (isList(lists)) return lists
  const own = Object.hasOwn(lists, message.method) ? lists[message.method] : lists['*']
  return own ?? draftList(message, settings)
}

function draftList(message: RequestMessage, { time }: Settings): readonly string[] {
  const names = ['(request-target)', 'host', time === 'created' ? '(created)' : 'date']
  if (!hasContent(message.body)) return names
  return fieldCount(message.fields, 'content-type') === 0
    ? [...names, 'digest']
    : [...names, 'digest', 'content-type']
}

/** Least coverage of the scheme, as component identifiers; `undefined` where the policy's own default is right. */
export function minimumOf(settings: Settings): HeaderLists | undefined {
  const lists = settings.headers ?? (settings.isFlask ? flaskLists : undefined)
  if (lists === undefined) return undefined
  if (isList(lists)) return componentsFor(lists, '*', settings)
  return Object.fromEntries(
    Object.entries(lists).map(([method, names]) => [method, componentsFor(names, method, settings)]),
  )
}

function componentsFor(names: readonly string[], method: string, settings: Settings): readonly string[] {
  return componentsOf(names, { target: targetCoverage(settings, method), digestIsCompared: false })
}

/** Gives the name that a challenge has for the time; `undefined` where some list demands none. */
export function timeName({ headers, time }: Settings): 'date' | '(created)' | undefined {
  if (headers === undefined) return time === 'created' ? '(created)' : 'date'
  const lists = isList(headers) ? [headers] : Object.values(headers)
  if (lists.every((names) => names.includes('date'))) return 'date'
  return lists.every((names) => names.includes('date') || names.includes('(created)'))
    ? '(created)'
    : undefined
}

function isList(lists: HeaderLists): lists is readonly string[] {
  return Array.isArray(lists)
}
