import type { Verified } from 'countersign'

/** Names of the fields that tell the upstream who called. */
const identityNames = {
  key: 'X-Countersign-Key',
  owner: 'X-Countersign-Owner',
  rights: 'X-Countersign-Rights',
  scheme: 'X-Countersign-Scheme',
} as const

/** What identity fields are made of. */
export type Identified = Pick<Verified, 'scheme'> & {
  readonly credential: Pick<Verified['credential'], 'id' | 'owner' | 'rights'>
}

/**
 * Gives the field lines that tell the upstream who called: key id, owner where there is one, rights joined with commas, scheme.
 * Bytes other than visible ASCII, `%`, and commas inside a right are percent-encoded as UTF-8.
 */
export function identityFields({ scheme, credential }: Identified): readonly string[] {
  const lines = [identityNames.key, encoded(credential.id), identityNames.scheme, encoded(scheme)]
  if (credential.owner !== undefined) lines.push(identityNames.owner, encoded(credential.owner))
  if (credential.rights !== undefined && credential.rights.length > 0) {
    const rights = credential.rights.map((right) => encoded(right).replaceAll(',', '%2C'))
    lines.push(identityNames.rights, rights.join(','))
  }
  return lines
}

/**
 * Tells whether a field name belongs to the identity family as any service may spell it: whatever its case, and with any
 * separator for `-`, since CGI-like environments fold `X_Countersign_Key` and `X-Countersign-Key` into one variable.
 */
export function isIdentityName(plainName: string): boolean {
  return plainName.startsWith('x-countersign')
}

/** Writes a field name in lower case with every separator as `-`: the form in which families of names are compared. */
export function plainName(name: string): string {
  const lower = name.toLowerCase()
  return /^[a-z0-9-]*$/.test(lower) ? lower : lower.replace(/[^a-z0-9]/g, '-')
}

function encoded(text: string): string {
  if (/^[!-$&-~]*$/.test(text)) return text
  let out = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    out +=
      byte > 32 && byte < 127 && byte !== 37
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
