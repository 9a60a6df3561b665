import {
  type CavageCompatible,
  CountersignError,
  type FlaskHmacauthForm,
  type FlaskHmacForm,
  type FlaskHmacOptions,
  type OauthMacCompatible,
} from 'countersign'
import { z } from 'zod'
import {
  type CavageSettings,
  compatibleForms,
  flaskHmacVariants,
  type HmacauthSettings,
  type MacSettings,
  type SchemeEntry,
  schemeFrom,
  schemeNames,
} from './schemes.ts'

/** Makes every option a key, so that one that the library gains is missing here until it is offered. */
type Shape<Options> = { readonly [Key in keyof Options]-?: z.ZodType }

const text = z.string().min(1).max(200)
const whole = (least: number, most: number) => z.int().min(least).max(most)

const hmacauth = {
  digest: z.enum(['sha1', 'sha256', 'sha384', 'sha512']).exactOptional(),
  validSeconds: whole(0, 3600).exactOptional(),
  signatureHeader: text.exactOptional(),
  keyId: text.exactOptional(),
  methods: z.array(text).min(1).exactOptional(),
  singleUse: z.boolean().exactOptional(),
  strict: z.boolean().exactOptional(),
  compatible: z
    .array(
      z.enum([
        'unsigned-forms',
        'form-parameters',
        'unsigned-content',
        'repeated-parameters',
        'ambiguous-bodies',
        'path-parameters',
        'escaped-separators',
        'leading-slashes',
      ] satisfies FlaskHmacauthForm[]),
    )
    .exactOptional(),
} satisfies Shape<HmacauthSettings>

const ofVariant = {
  header: text.exactOptional(),
  digest: z.enum(['sha1', 'sha256', 'sha384', 'sha512']).exactOptional(),
  encoding: z.enum(['hex', 'base64', 'base64url']).exactOptional(),
  keyId: text.exactOptional(),
  compatible: z
    .array(z.enum(['unsigned-forms', 'escaped-separators', 'leading-slashes'] satisfies FlaskHmacForm[]))
    .exactOptional(),
} satisfies Shape<Omit<FlaskHmacOptions, 'variant'>>

const mac = {
  port: whole(1, 65_535).exactOptional(),
  compatible: z
    .array(
      z.enum([
        'any-time',
        'loose-separators',
        'loose-timestamp',
        'unknown-parameters',
        'encoded-slash',
        'unsigned-ext',
      ] satisfies OauthMacCompatible[]),
    )
    .exactOptional(),
  rememberSeconds: whole(3600, 315_360_000).exactOptional(),
  clockOffsetSeconds: z.record(text, z.int()).exactOptional(),
} satisfies Shape<Omit<MacSettings, 'profile'>>

const method = z.string().regex(/^\*$|^[A-Z]+$/, 'expected a method, or *')
const headerNames = z.array(text).min(1).max(32)

const ofCavage = {
  headers: z.union([headerNames, z.record(method, headerNames)]).exactOptional(),
  time: z.enum(['date', 'created']).exactOptional(),
  singleUse: z.boolean().exactOptional(),
  keyIds: z.enum(['any', 'word']).exactOptional(),
  realm: z.string().max(128).exactOptional(),
  compatible: z
    .array(
      z.enum([
        'sha1-digest',
        'md5-digest',
        'created-with-named-algorithm',
        'date-weekday',
        'unsigned-query',
        'other-methods',
        'escaped-delimiters',
        'trailing-question-marks',
      ] satisfies CavageCompatible[]),
    )
    .exactOptional(),
} satisfies Shape<Omit<CavageSettings, 'profile'>>

const fieldTypes = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, 'expected the name of a field in lower case'),
  z.enum(['item', 'list', 'dictionary']),
)

const settings = z.discriminatedUnion(
  'name',
  [
    z.strictObject({ name: z.literal('rfc9421'), fieldTypes: fieldTypes.exactOptional() }),
    z.strictObject({
      name: z.literal('ustudio-hmac'),
      query: z.enum(['compatible', 'strict']).exactOptional(),
    }),
    z.strictObject({ name: z.literal('flask-hmacauth'), ...hmacauth }),
    z.strictObject({
      name: z.literal('flask-hmac'),
      variant: z.enum(Object.values(flaskHmacVariants)),
      ...ofVariant,
    }),
    z.strictObject({ name: z.enum(schemeNames.filter(isVariantName)), ...ofVariant }),
    z.strictObject({
      name: z.literal('oauth-mac'),
      profile: z.enum(['draft-01', 'django-auth-mac']).exactOptional(),
      ...mac,
    }),
    z.strictObject({ name: z.literal('django-auth-mac'), ...mac }),
    z.strictObject({
      name: z.literal('cavage'),
      profile: z.enum(['draft', 'flask-cavage']).exactOptional(),
      ...ofCavage,
    }),
    z.strictObject({ name: z.literal('flask-cavage'), ...ofCavage }),
  ],
  { error: `expected one of ${schemeNames.join(', ')}, flask-hmac` },
)

/** What an entry of `schemes` has to be: a name, or a name with options that the library takes. */
export const schemeEntry: z.ZodType<SchemeEntry> = z
  .union([z.enum(schemeNames), settings], {
    error: `expected one of ${schemeNames.join(', ')}, or an object with such a name and options`,
  })
  .superRefine((entry, context) => {
    for (const { path, message } of refusals(entry)) {
      // What is out of its range has been told already.
      const isTold = path.length > 0 && context.issues.some((issue) => issue.path?.[0] === path[0])
      if (!isTold) context.addIssue({ code: 'custom', path: [...path], message })
    }
  })

interface Refused {
  /** Within the entry; empty for the entry as a whole. */
  readonly path: readonly string[]
  readonly message: string
}

/** What the library has against an entry. It names one option at a time: that one is taken out, and it is asked again. */
function refusals(entry: SchemeEntry): readonly Refused[] {
  const refused: Refused[] = []
  let rest = entry
  for (;;) {
    const message = refusalOf(rest)
    if (message === undefined) return refused
    const option = /^\w+ (\w+): /.exec(message)?.[1] ?? ''
    const less = without(rest, option)
    refused.push({ path: less === undefined ? [] : [option], message })
    if (less === undefined) return refused
    rest = less
  }
}

/** Options that say which others there are. */
const kinds: readonly string[] = ['name', 'variant', 'profile']

/** An entry without an option; of `compatible` the forms stay that are good by themselves, since other options go by them. */
function without(entry: SchemeEntry, option: string): SchemeEntry | undefined {
  if (typeof entry === 'string' || kinds.includes(option) || !Object.hasOwn(entry, option)) return undefined
  const others = Object.entries(entry).filter(([key]) => key !== option)
  const kind = others.filter(([key]) => kinds.includes(key))
  const stands = (form: string): boolean => {
    const alone = parsed([...kind, ['compatible', [form]]])
    return alone !== undefined && refusalOf(alone) === undefined
  }
  const forms = option === 'compatible' ? compatibleForms(entry) : []
  const good = forms.filter(stands)
  return parsed(good.length < forms.length ? [...others, [option, good]] : others)
}

function parsed(options: readonly (readonly [string, unknown])[]): SchemeEntry | undefined {
  return settings.safeParse(Object.fromEntries(options)).data
}

function refusalOf(entry: SchemeEntry): string | undefined {
  try {
    schemeFrom(entry)
    return undefined
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'config-invalid') return error.message
    throw error
  }
}

function isVariantName(name: string): name is keyof typeof flaskHmacVariants {
  return Object.hasOwn(flaskHmacVariants, name)
}
