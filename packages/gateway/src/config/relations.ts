/** One thing that is wrong with a value: where, and what was expected. */
export interface SchemaProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Gives what only shows when parts of a configuration are seen together. Takes the value as it was read and looks at what has the
 * right shape, so that these problems are told along with those of shape.
 * `env` is where the variables that the configuration names are looked for; without it they are not.
 */
export function relationProblems(
  value: unknown,
  env: Readonly<Record<string, string | undefined>> | undefined,
): readonly SchemaProblem[] {
  const config = fieldsOf(value)
  return [...timeoutProblems(config), ...routeProblems(config), ...secretProblems(config, env)]
}

function timeoutProblems({ timeouts }: Fields): readonly SchemaProblem[] {
  const { headersSeconds = 10, requestSeconds = 30 } = fieldsOf(timeouts)
  if (typeof headersSeconds !== 'number' || typeof requestSeconds !== 'number') return []
  if (headersSeconds <= requestSeconds) return []
  return [{ path: ['timeouts', 'headersSeconds'], message: 'expected no more than requestSeconds' }]
}

function routeProblems({ routes, upstream, publicScheme }: Fields): readonly SchemaProblem[] {
  const problems: SchemaProblem[] = []
  const seen = new Map<string, number>()
  const defaultPort = publicScheme === 'https' ? ':443' : ':80'
  for (const [i, one] of listOf(routes).entries()) {
    if (!isFields(one)) continue
    const { path, host, methods, mode, body } = one
    if (one.upstream === undefined && upstream === undefined) {
      problems.push({ path: ['routes', i], message: 'expected an upstream, here or at the top' })
    }
    if (body === 'stream' && (mode === 'warn' || mode === 'observe' || mode === 'off')) {
      const message = 'stream needs mode enforce: what is let pass unverified must not carry an identity'
      problems.push({ path: ['routes', i, 'body'], message })
    }
    if (typeof host === 'string' && host.endsWith(defaultPort)) {
      problems.push({
        path: ['routes', i, 'host'],
        message: `expected no ${defaultPort}: it is the default port`,
      })
    }
    if (typeof path !== 'string') continue
    for (const method of listOf(methods ?? ['*'])) {
      const key = JSON.stringify([host, path, method])
      const earlier = seen.get(key)
      if (earlier === undefined) seen.set(key, i)
      else problems.push({ path: ['routes', i, 'path'], message: `is the same route as routes[${earlier}]` })
    }
  }
  return problems
}

function secretProblems(
  { forwardAuth }: Fields,
  env: Readonly<Record<string, string | undefined>> | undefined,
): readonly SchemaProblem[] {
  const { secretEnv } = fieldsOf(forwardAuth)
  if (env === undefined || typeof secretEnv !== 'string' || isHopSecret(env[secretEnv])) return []
  return [{ path: ['forwardAuth', 'secretEnv'], message: `expected at least 16 characters in ${secretEnv}` }]
}

/** Whether text is long enough for the secret that a proxy and the gateway share: 16 characters. */
export function isHopSecret(text: string | undefined): text is string {
  return text !== undefined && text.length >= 16
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
