import { normalizeAuthority, type RequestMessage } from 'countersign'
import { lenientReadings, targetAmbiguity } from './targets.ts'

/** What of a route decides whether it serves a request. */
export interface RoutePattern {
  /** Path prefix, matched on whole segments. */
  readonly path: string
  /** Host in lower case, with its port where that is not the default; `undefined` for any. */
  readonly host: string | undefined
  /** `undefined` for any. */
  readonly methods: readonly string[] | undefined
  /** Whether targets with more than one reading are served. */
  readonly asSent: boolean
}

/** What of a request decides which route serves it. */
export type RoutedRequest = Pick<RequestMessage, 'method' | 'target' | 'authority' | 'scheme'> & {
  readonly parts: Pick<RequestMessage['parts'], 'path'>
}

/** A route, or why there is none. */
export type Routing<R> =
  | { readonly kind: 'route'; readonly route: R }
  | { readonly kind: 'ambiguous'; readonly detail: string }
  | { readonly kind: 'denied' }

/**
 * Finds the route of a request. The longest path wins, then a route for the host over one for any; among equals the method decides.
 * What no route names is denied. A target that services may read in several ways is ambiguous, unless its route takes targets as sent;
 * so is a host whose name has routes of its own, under a port that they do not name.
 */
export function findRoute<R extends RoutePattern>(routes: RouteTable<R>, request: RoutedRequest): Routing<R> {
  const { method } = request
  const { path } = request.parts
  const place = placeOf(normalizeAuthority(request.authority, request.scheme))
  if (place === undefined) return { kind: 'ambiguous', detail: 'its host has an empty label' }
  const others = routes.otherPorts(place)
  const match = routes.match('sent', path, place, method)
  if (others.some((other) => strays(routes.match('sent', path, other, method), match)))
    return { kind: 'ambiguous', detail: otherPort }
  const route = match?.route
  if (route?.asSent === true) return { kind: 'route', route }
  const ambiguity = targetAmbiguity(request.target)
  if (ambiguity !== undefined) return { kind: 'ambiguous', detail: ambiguity }
  if (!routes.readsAsSent || !isReadAsSent(path)) {
    const readings = lenientReadings(path)
    for (const reading of ['decoded', 'folded'] as const) {
      const text = readings[reading]
      const lenient = routes.match(reading, text, place, method)
      if (lenient?.route !== route) {
        const detail = 'a service that decodes escapes or ignores case would serve another route'
        return { kind: 'ambiguous', detail }
      }
      if (others.some((other) => strays(routes.match(reading, text, other, method), lenient)))
        return { kind: 'ambiguous', detail: otherPort }
    }
  }
  return route === undefined ? { kind: 'denied' } : { kind: 'route', route }
}

const otherPort = 'the same host with another port would lead to another route'

/** How paths are read: as they are, with escapes of plain characters decoded, and without regard to case as well. */
type Reading = 'sent' | 'decoded' | 'folded'

/** A host apart from its port. */
interface Place {
  readonly name: string
  /** Without the default one. */
  readonly port: string
}

interface Entry<R> {
  readonly path: string
  readonly place: Place | undefined
  readonly route: R
}

/** Routes of one path and place, and the one of them that serves the method. */
interface Match<R> {
  readonly entry: Entry<R>
  readonly route: R | undefined
}

/** Routes, most specific first. */
export class RouteTable<R extends RoutePattern> {
  readonly #entries: Readonly<Record<Reading, readonly Entry<R>[]>>
  readonly #places = new Map<string, Place[]>()
  /** Whether the paths of all routes are the same in every reading. */
  readonly readsAsSent: boolean

  constructor(routes: readonly R[]) {
    const entries = (read: (path: string) => string): readonly Entry<R>[] =>
      routes
        .map((route) => ({
          path: read(route.path),
          // A host that no request can have stays one that no request has.
          place:
            route.host === undefined ? undefined : (placeOf(route.host) ?? { name: route.host, port: '' }),
          route,
        }))
        // Stable: routes that are equally specific keep the order of the file.
        .sort(
          (a, b) =>
            b.path.length - a.path.length || Number(b.place !== undefined) - Number(a.place !== undefined),
        )
    this.#entries = {
      sent: entries(upperEscapes),
      decoded: entries((path) => lenientReadings(path).decoded),
      folded: entries((path) => lenientReadings(path).folded),
    }
    this.readsAsSent = routes.every((route) => isReadAsSent(route.path))
    for (const { place } of this.#entries.sent) {
      if (place === undefined) continue
      const places = this.#places.get(place.name) ?? []
      places.push(place)
      this.#places.set(place.name, places)
    }
  }

  /**
   * The most specific routes of a path in a reading, and the one of them that serves the method. A path that is routed for other
   * methods is not passed on to a shorter one.
   */
  match(reading: Reading, path: string, place: Place, method: string): Match<R> | undefined {
    const key = reading === 'sent' ? upperEscapes(path) : path
    let found: Entry<R> | undefined
    for (const entry of this.#entries[reading]) {
      if (found !== undefined && (entry.path !== found.path || !isSame(entry.place, found.place))) break
      if (entry.place !== undefined && !isSame(entry.place, place)) continue
      if (!isBelow(key, entry.path)) continue
      found = entry
      const { methods } = entry.route
      if (methods === undefined || methods.includes(method)) return { entry, route: entry.route }
    }
    return found === undefined ? undefined : { entry: found, route: undefined }
  }

  /** The places of routes that have the name of this one and another port. */
  otherPorts(place: Place): readonly Place[] {
    return this.#places.get(place.name)?.filter(({ port }) => port !== place.port) ?? []
  }
}

/**
 * Whether what another port leads to stands against what was found. A client chooses the port that it writes and services seldom
 * look at it, so the port decides only where a route names this very host and port, and none for another port is more specific.
 */
function strays<R>(other: Match<R> | undefined, found: Match<R> | undefined): boolean {
  if (other?.route === found?.route && other?.entry.path === found?.entry.path) return false
  return found?.entry.place === undefined || (other?.entry.path.length ?? 0) > found.entry.path.length
}

function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || prefix.endsWith('/') || path.charCodeAt(prefix.length) === 47
}

/** Takes the port off, and one dot behind the name, which names the same host. Gives nothing for a name with an empty label. */
function placeOf(authority: string): Place | undefined {
  const colon = authority.indexOf(':', authority.indexOf(']') + 1)
  const host = colon < 0 ? authority : authority.slice(0, colon)
  const name = host.endsWith('.') ? host.slice(0, -1) : host
  if (name === '' || name.startsWith('.') || name.endsWith('.') || name.includes('..')) return undefined
  return { name, port: colon < 0 ? '' : authority.slice(colon + 1) }
}

function isSame(a: Place | undefined, b: Place | undefined): boolean {
  return a?.name === b?.name && a?.port === b?.port
}

function isReadAsSent(path: string): boolean {
  return !/[%A-Z]/.test(path)
}

function upperEscapes(path: string): string {
  return path.includes('%') ? path.replace(/%[0-9a-fA-F]{2}/g, (escaped) => escaped.toUpperCase()) : path
}
