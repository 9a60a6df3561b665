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
export interface RoutedRequest {
  readonly method: string
  /** As on the request line. */
  readonly target: string
  /** Path as sent. */
  readonly path: string
  /** In lower case, without the default port. */
  readonly authority: string
}

/** A route, or why there is none. */
export type Routing<R> =
  | { readonly kind: 'route'; readonly route: R }
  | { readonly kind: 'ambiguous'; readonly detail: string }
  | { readonly kind: 'denied' }

/**
 * Finds the route of a request. The longest path wins, then a route for the host over one for any; among equals the method decides.
 * What no route names is denied. A target that services may read in several ways is ambiguous, unless its route takes targets as sent.
 */
export function findRoute<R extends RoutePattern>(routes: RouteTable<R>, request: RoutedRequest): Routing<R> {
  const route = routes.match(request.path, request)
  if (route?.asSent === true) return { kind: 'route', route }
  const ambiguity = targetAmbiguity(request.target)
  if (ambiguity !== undefined) return { kind: 'ambiguous', detail: ambiguity }
  for (const reading of lenientReadings(request.path)) {
    if (routes.match(reading, request) !== route) {
      return {
        kind: 'ambiguous',
        detail: 'a service that decodes escapes or ignores case would serve another route',
      }
    }
  }
  return route === undefined ? { kind: 'denied' } : { kind: 'route', route }
}

/** Routes, most specific first. */
export class RouteTable<R extends RoutePattern> {
  readonly #routes: readonly R[]

  constructor(routes: readonly R[]) {
    // Stable: routes that are equally specific keep the order of the file.
    this.#routes = [...routes].sort(
      (a, b) => b.path.length - a.path.length || Number(b.host !== undefined) - Number(a.host !== undefined),
    )
  }

  /** The route of a path as it stands. A path that is routed for other methods is not passed on to a shorter one. */
  match(path: string, { authority, method }: Pick<RoutedRequest, 'authority' | 'method'>): R | undefined {
    const key = path.includes('%') ? upperEscapes(path) : path
    let place: R | undefined
    for (const route of this.#routes) {
      if (place !== undefined && (route.path !== place.path || route.host !== place.host)) return undefined
      if (route.host !== undefined && !isHost(authority, route.host)) continue
      if (!isBelow(key, route.path.includes('%') ? upperEscapes(route.path) : route.path)) continue
      place = route
      if (route.methods === undefined || route.methods.includes(method)) return route
    }
    return undefined
  }
}

function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || prefix.endsWith('/') || path.charCodeAt(prefix.length) === 47
}

function isHost(authority: string, host: string): boolean {
  // A trailing dot names the same host.
  return authority === host || authority === `${host}.`
}

function upperEscapes(path: string): string {
  return path.replace(/%[0-9a-fA-F]{2}/g, (escaped) => escaped.toUpperCase())
}
