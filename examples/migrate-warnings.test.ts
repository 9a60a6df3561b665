import {
  type CavageCompatible,
  cavage,
  createSigner,
  createVerifier,
  type FlaskHmacauthForm,
  type FlaskHmacForm,
  flaskHmac,
  flaskHmacauth,
  memoryCredentials,
  memoryNonces,
  type OauthMacCompatible,
  oauthMac,
  type Policy,
  requestMessage,
  type Scheme,
  ustudioHmac,
  type Warning,
} from 'countersign'
import { type SeedCase, seedRequest } from 'countersign/testing'
import { describe, expect, it } from 'vitest'
import { namesBelow, pageOf } from './proving/pages.ts'
import { seedsOf } from './proving/seeds.ts'

/** What the server of a recorded case was set to, as far as a scheme has to know it. */
interface Settings {
  readonly port: number
  readonly digest: 'sha1' | 'sha256'
  readonly header: string
  readonly signatureHeader: string
  readonly validSeconds: number
  readonly variant: 'path' | 'body-base64url' | 'body-base64' | 'named-base64url' | 'named-base64'
}

const oauthMacForms: readonly OauthMacCompatible[] = [
  'any-time',
  'encoded-slash',
  'loose-separators',
  'loose-timestamp',
  'unknown-parameters',
  'unsigned-ext',
]
const cavageForms: readonly CavageCompatible[] = [
  'escaped-delimiters',
  'md5-digest',
  'other-methods',
  'sha1-digest',
  'trailing-question-marks',
  'unsigned-query',
]
const flaskHmacForms: Readonly<Record<'path' | 'others', readonly FlaskHmacForm[]>> = {
  path: ['escaped-separators', 'leading-slashes'],
  others: ['unsigned-forms'],
}
const flaskHmacauthForms: readonly FlaskHmacauthForm[] = [
  'ambiguous-bodies',
  'escaped-separators',
  'form-parameters',
  'leading-slashes',
  'path-parameters',
  'repeated-parameters',
  'unsigned-content',
  'unsigned-forms',
]

interface Ancestor {
  readonly name: string
  readonly vectors: string
  /** The scheme as the server of a case had it, with every name of the page in `compatible` or with none. */
  scheme(settings: Settings, isOdd: boolean): Scheme
  /** Every name in `compatible` that the page lists. */
  readonly forms: readonly string[]
  /** What the page says of every request. */
  readonly always: readonly Warning[]
  /** What the page says of a setting that no recorded server had. */
  readonly elsewhere?: readonly Warning[]
}

const ancestors: readonly Ancestor[] = [
  {
    name: 'auth-mac',
    vectors: 'oauth-mac',
    forms: oauthMacForms,
    scheme: ({ port }, isOdd) =>
      oauthMac({ profile: 'django-auth-mac', port, compatible: isOdd ? oauthMacForms : [] }),
    always: ['weak-algorithm'],
  },
  {
    name: 'flask-cavage',
    vectors: 'cavage',
    forms: cavageForms,
    scheme: (_, isOdd) => cavage({ profile: 'flask-cavage', compatible: isOdd ? cavageForms : [] }),
    always: [],
    elsewhere: ['replayable'],
  },
  {
    name: 'flask-hmac',
    vectors: 'flask-hmac',
    forms: [...flaskHmacForms.path, ...flaskHmacForms.others],
    scheme: ({ variant, digest, header }, isOdd) => {
      const odd = flaskHmacForms[variant === 'path' ? 'path' : 'others']
      return flaskHmac({ variant, digest, header, compatible: isOdd ? odd : [] })
    },
    always: ['replayable', 'method-uncovered', 'host-uncovered'],
  },
  {
    name: 'flask-hmacauth',
    vectors: 'flask-hmacauth',
    forms: flaskHmacauthForms,
    scheme: ({ digest, signatureHeader, validSeconds }, isOdd) =>
      flaskHmacauth({ digest, signatureHeader, validSeconds, compatible: isOdd ? flaskHmacauthForms : [] }),
    always: ['method-uncovered', 'host-uncovered'],
  },
  {
    name: 'ustudio-hmac-tornado',
    vectors: 'ustudio-hmac',
    forms: [],
    scheme: () => ustudioHmac(),
    always: ['host-uncovered', 'replayable'],
  },
]

/** What is left open by each recorded request that is accepted. */
async function warned(ancestor: Ancestor, isOdd: boolean): Promise<readonly (readonly Warning[])[]> {
  const all: (readonly Warning[])[] = []
  for (const seed of seedsOf(ancestor.vectors)) {
    const verdict = await judge(seed, (settings) => ancestor.scheme(settings, isOdd))
    if (verdict?.ok === true) all.push(verdict.warnings)
  }
  return all
}

async function judge(seed: SeedCase, schemeOf: (settings: Settings) => Scheme, policy: Policy = {}) {
  // An empty id or secret is no credential here.
  if (seed.kind !== 'valid' || !seed.credential.secret || seed.credential.id === '') return undefined
  const { id, secret } = seed.credential
  const { server, variant }: { readonly server: Settings; readonly variant: Settings['variant'] } =
    JSON.parse(JSON.stringify(seed))
  const verifier = createVerifier({
    schemes: [schemeOf({ ...server, variant })],
    credentials: memoryCredentials([{ id: id ?? 'default', secret }]),
    clock: () => Math.floor(seed.clock),
    nonces: memoryNonces(),
    policy,
  })
  return verifier.verify(seedRequest(seed.request))
}

describe.each(ancestors)('the page $name', (ancestor) => {
  const page = pageOf(ancestor.name)

  it('explains every warning that a recorded request gets, and no other', async () => {
    const seen = [...(await warned(ancestor, false)), ...(await warned(ancestor, true))]
    expect(seen.length).toBeGreaterThan(50)
    const named = new Set([...seen.flat(), ...(ancestor.elsewhere ?? [])])
    expect([...named].sort()).toEqual([...namesBelow(page, 'What a warning means')].sort())
    for (const warning of ancestor.always) {
      const without = seen.filter((warnings) => !warnings.includes(warning))
      expect(without, warning).toEqual([])
    }
  })

  it('lists the odd forms that are tried here', () => {
    expect([...namesBelow(page, 'Options for odd clients')].sort()).toEqual([...ancestor.forms].sort())
  })

  it('warns of compatible only where it is asked for an odd form', async () => {
    const plain = (await warned(ancestor, false)).flat()
    expect(plain).not.toContain('compatible')
    const odd = (await warned(ancestor, true)).flat()
    expect(odd.includes('compatible')).toBe(namesBelow(page, 'What a warning means').includes('compatible'))
  })
})

describe('what ends a warning', () => {
  it.each<[string, Warning, Policy]>([
    ['auth-mac', 'content-uncovered', { digest: 'required' }],
    ['flask-cavage', 'content-uncovered', { digest: 'required' }],
    ['flask-hmac', 'content-uncovered', { digest: 'required' }],
    ['flask-hmac', 'path-uncovered', { covers: ['@path'] }],
    ['flask-hmacauth', 'content-uncovered', { digest: 'required' }],
  ])('on the page %s is for %s what it says', async (name, warning, policy) => {
    const ancestor = ancestors.find((each) => each.name === name)
    if (ancestor === undefined) throw new Error(`no ancestor ${name}`)
    let refused = 0
    for (const seed of seedsOf(ancestor.vectors)) {
      const scheme = (settings: Settings) => ancestor.scheme(settings, true)
      const before = await judge(seed, scheme)
      if (before?.ok !== true || !before.warnings.includes(warning)) continue
      expect((await judge(seed, scheme, policy))?.ok, seed.id).toBe(false)
      refused++
    }
    expect(refused).toBeGreaterThan(0)
  })

  it('on the page flask-cavage: a list of headers that has a date', async () => {
    const credential = { id: 'access_key_1', secret: 'a secret of these tests' }
    const warnings = async (headers: readonly string[]) => {
      const scheme = cavage({ profile: 'flask-cavage', headers })
      const url = 'http://localhost/items'
      const { set } = await createSigner({ scheme, credential }).sign(requestMessage({ url }))
      const verifier = createVerifier({ schemes: [scheme], credentials: memoryCredentials([credential]) })
      const verdict = await verifier.verify(requestMessage({ url, headers: set }))
      return verdict.ok ? verdict.warnings : [verdict.reason]
    }
    expect(await warnings(['(request-target)', 'host'])).toEqual(['replayable'])
    expect(await warnings(['(request-target)', 'host', 'date'])).toEqual([])
  })
})
