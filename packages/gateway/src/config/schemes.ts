import {
  type CavageOptions,
  cavage,
  type FlaskHmacauthOptions,
  type FlaskHmacOptions,
  type FlaskHmacVariant,
  flaskHmac,
  flaskHmacauth,
  type OauthMacOptions,
  oauthMac,
  type Rfc9421Options,
  rfc9421,
  type Scheme,
  type UstudioHmacOptions,
  ustudioHmac,
} from 'countersign'

/** Names of the schemes that a configuration may list as they are. */
export const schemeNames = [
  'rfc9421',
  'ustudio-hmac',
  'flask-hmacauth',
  'flask-hmac-path',
  'flask-hmac-body-base64url',
  'flask-hmac-body-base64',
  'flask-hmac-named-base64url',
  'flask-hmac-named-base64',
  'oauth-mac',
  'django-auth-mac',
  'cavage',
  'flask-cavage',
] as const

/** Name of a scheme in a configuration. */
export type SchemeName = (typeof schemeNames)[number]

// Options that concern signing alone are left out: who wrote `covers` here would believe that the gateway demands it.

/** Options of `flask-hmacauth`. */
export type HmacauthSettings = Omit<FlaskHmacauthOptions, 'keyId' | 'signature' | 'timestamp'> & {
  readonly keyId?: string
}

/** Options of `oauth-mac`. */
export type MacSettings = Omit<OauthMacOptions, 'ext' | 'clockOffsetSeconds'> & {
  /** Seconds by key id. */
  readonly clockOffsetSeconds?: Readonly<Record<string, number>>
}

/** Options of `cavage`. */
export type CavageSettings = Omit<CavageOptions, 'field' | 'algorithm' | 'digest' | 'expiresInSeconds'>

/** A scheme of a configuration with the options of the library that concern verifying and can be written as data. */
export type SchemeSettings =
  | ({ readonly name: 'rfc9421' } & Pick<Rfc9421Options, 'fieldTypes'>)
  | ({ readonly name: 'ustudio-hmac' } & UstudioHmacOptions)
  | ({ readonly name: 'flask-hmacauth' } & HmacauthSettings)
  | ({ readonly name: 'flask-hmac' } & FlaskHmacOptions)
  | ({ readonly name: `flask-hmac-${FlaskHmacVariant}` } & Omit<FlaskHmacOptions, 'variant'>)
  | ({ readonly name: 'oauth-mac' } & MacSettings)
  | ({ readonly name: 'django-auth-mac' } & Omit<MacSettings, 'profile'>)
  | ({ readonly name: 'cavage' } & CavageSettings)
  | ({ readonly name: 'flask-cavage' } & Omit<CavageSettings, 'profile'>)

/** One entry of `schemes`. */
export type SchemeEntry = SchemeName | SchemeSettings

/** Names under which a variant of `flask-hmac` is listed as it is. */
export const flaskHmacVariants = {
  'flask-hmac-path': 'path',
  'flask-hmac-body-base64url': 'body-base64url',
  'flask-hmac-body-base64': 'body-base64',
  'flask-hmac-named-base64url': 'named-base64url',
  'flask-hmac-named-base64': 'named-base64',
} as const

/**
 * Makes the scheme of an entry.
 * @throws CountersignError `config-invalid` where the library refuses an option.
 */
export function schemeFrom(entry: SchemeEntry): Scheme {
  const one: SchemeSettings = typeof entry === 'string' ? { name: entry } : entry
  switch (one.name) {
    case 'rfc9421':
      return rfc9421(optionsOf(one))
    case 'ustudio-hmac':
      return ustudioHmac(optionsOf(one))
    case 'flask-hmacauth':
      return flaskHmacauth(optionsOf(one))
    case 'flask-hmac':
      return flaskHmac(optionsOf(one))
    case 'flask-hmac-path':
    case 'flask-hmac-body-base64url':
    case 'flask-hmac-body-base64':
    case 'flask-hmac-named-base64url':
    case 'flask-hmac-named-base64':
      return flaskHmac({ ...optionsOf(one), variant: flaskHmacVariants[one.name] })
    case 'oauth-mac':
      return oauthMac(macOptions(one))
    case 'django-auth-mac':
      return oauthMac({ ...macOptions(one), profile: 'django-auth-mac' })
    case 'cavage':
      return cavage(optionsOf(one))
    case 'flask-cavage':
      return cavage({ ...optionsOf(one), profile: 'flask-cavage' })
  }
}

/** Forms of old clients that an entry admits. */
export function compatibleForms(entry: SchemeEntry): readonly string[] {
  return typeof entry === 'object' && 'compatible' in entry ? (entry.compatible ?? []) : []
}

function optionsOf<T extends { readonly name: string }>({ name: _name, ...options }: T): Omit<T, 'name'> {
  return options
}

function macOptions({
  name: _name,
  clockOffsetSeconds,
  ...options
}: MacSettings & { readonly name: string }): OauthMacOptions {
  if (clockOffsetSeconds === undefined) return options
  const offsets = new Map(Object.entries(clockOffsetSeconds))
  return { ...options, clockOffsetSeconds: (keyId) => offsets.get(keyId) }
}
