/** Names that stand for parts of a request or for parameters. Drafts 03 to 12, section 2.3. */
const special: ReadonlySet<string> = new Set(['(request-target)', '(created)', '(expires)'])
const fieldName = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/

/** Tells whether text may stand in a `headers` list: a lower-case field name, or a name in parentheses that the drafts know. */
export function isHeaderName(text: string): boolean {
  return special.has(text) || fieldName.test(text)
}

/** How the target of a request is signed: all of it, or its path alone. */
export type TargetCoverage = 'whole' | 'path'

/** Gives what a list covers, as component identifiers of policies. `@body`: through the digest, where that is compared. */
export function componentsOf(
  names: readonly string[],
  { target, digestIsCompared }: { readonly target: TargetCoverage; readonly digestIsCompared: boolean },
): readonly string[] {
  const components: string[] = []
  for (const name of names) {
    if (name === '(request-target)')
      components.push('@method', target === 'whole' ? '@request-target' : '@path')
    else if (name === 'host') components.push('@authority', name)
    else if (name === 'digest' && digestIsCompared) components.push(name, '@body')
    else if (!special.has(name)) components.push(name)
  }
  return components
}

const namesOfComponents: ReadonlyMap<string, readonly string[]> = new Map([
  ['@method', ['(request-target)']],
  ['@path', ['(request-target)']],
  ['@query', ['(request-target)']],
  ['@request-target', ['(request-target)']],
  ['@target-uri', ['(request-target)', 'host']],
  ['@authority', ['host']],
  ['content-digest', ['digest']],
  ['@body', ['digest']],
])

/** Gives the list that covers components, for a challenge. What no list can cover is left out. */
export function namesFor(components: readonly string[]): readonly string[] {
  const names = components.flatMap(
    (component) => namesOfComponents.get(component) ?? (isHeaderName(component) ? [component] : []),
  )
  return [...new Set(names)]
}
