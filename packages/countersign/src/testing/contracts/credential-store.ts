import { base64Encode, base64urlEncode } from '../../bytes/base64.ts'
import { equalBytes } from '../../bytes/equal.ts'
import { hexEncode } from '../../bytes/hex.ts'
import { utf8Encode } from '../../bytes/utf8.ts'
import type { Credential } from '../../credentials/credential.ts'
import { knowCredential } from '../../credentials/known.ts'
import type { CredentialStore } from '../../credentials/store.ts'
import { Secret, secretBytes, secretFrom } from '../../keys/secret.ts'
import type { MaybePromise } from '../../message/body.ts'
import { type ContractCase, must } from './contract-case.ts'

/** Makes a store that holds these credentials and no others. Called once for each case. */
export type MakeCredentialStore = (credentials: readonly Credential[]) => MaybePromise<CredentialStore>

const secret = Uint8Array.from({ length: 32 }, (_, i) => (i * 37) & 255)
// RFC 9421 appendix B.1.4.
const publicKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
`
const scheme = 'rfc9421'
const oddIds: readonly string[] = [
  `O'Brien "x"`,
  '100%_\\',
  'a:b',
  '7:rfc9421x',
  'ключ',
  '\u{1f511}',
  'x'.repeat(256),
]

const held: readonly Credential[] = [
  {
    id: 'billing',
    secret: secretFrom.bytes(secret),
    algorithm: 'hmac-sha256',
    rights: ['invoices:read', 'invoices:write'],
    owner: 'Ada Lovelace',
  },
  { id: 'revoked', secret: secretFrom.bytes(secret), active: false },
  { id: 'dated', secret: secretFrom.bytes(secret), notBeforeAt: 1_700_000_000, expiresAt: 1_900_000_000 },
  { id: 'public', key: publicKey },
  ...oddIds.map((id) => ({ id, secret: secretFrom.utf8(`secret of ${id}`) })),
]

/** None of these is held, however close. */
const unknownIds: readonly string[] = [
  '',
  'Billing',
  'BILLING',
  'billing ',
  ' billing',
  'billing\0',
  'billing\n',
  'billin',
  'billingg',
  'b\u0131lling',
  '\uff42illing',
  'bill%',
  'billin_',
  '%',
  '_',
  '*',
  "' OR 1=1 --",
  "billing' --",
  '\\',
  '\0',
  '\ud800',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'a',
  'a:b:c',
  '../../etc/passwd',
  'a/b',
  'CON',
  'https://keys.example.test/jwks.json',
  'кл\u044eч ',
  'x'.repeat(255),
  'x'.repeat(257),
  'x'.repeat(100_000),
]

/**
 * Gives what every credential store must do: find exactly what it holds, by exactly its id, with every byte of its secret,
 * and give nothing that prints a secret or changes what it holds. Independent of any test framework.
 */
export function credentialStoreContract(makeStore: MakeCredentialStore): readonly ContractCase[] {
  const onStore =
    (run: (find: Find) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const store = await makeStore(held)
      await run(async (id, wantedScheme = scheme) => store.find(id, wantedScheme))
    }
  return [
    { name: 'finds a credential with everything it has', run: onStore(findsEverything) },
    { name: 'gives a secret byte for byte', run: onStore(givesSecret) },
    { name: 'gives a public key', run: onStore(givesKey) },
    { name: 'finds a revoked credential as inactive', run: onStore(findsInactive) },
    { name: 'finds ids of any spelling', run: onStore(findsOddIds) },
    { name: 'knows no id but those it holds, and never fails on one', run: onStore(knowsNoOthers) },
    { name: 'finds nothing in an empty store', run: findsNothing(makeStore) },
    { name: 'gives nothing that prints a secret', run: onStore(printsNoSecret) },
    { name: 'gives nothing that changes what it holds', run: onStore(staysAsItIs) },
    { name: 'answers a hundred finds at once', run: onStore(answersAtOnce) },
  ]
}

type Find = (id: string, scheme?: string) => Promise<Credential | undefined>

async function mustFind(find: Find, id: string): Promise<Credential> {
  const found = await find(id)
  must(found !== undefined, `${JSON.stringify(id)} is not found`)
  must(found.id === id, `${JSON.stringify(id)} is found as ${JSON.stringify(found.id)}`)
  return found
}

async function findsEverything(find: Find): Promise<void> {
  const { algorithm, rights = [], owner, active } = await mustFind(find, 'billing')
  must(algorithm === 'hmac-sha256', `algorithm: got ${algorithm}`)
  must(rights.join() === 'invoices:read,invoices:write', `rights: got ${rights.join()}`)
  must(owner === 'Ada Lovelace', `owner: got ${owner}`)
  must(active !== false, 'active: got false')
  const { notBeforeAt, expiresAt } = await mustFind(find, 'dated')
  must(notBeforeAt === 1_700_000_000, `notBeforeAt: got ${notBeforeAt}`)
  must(expiresAt === 1_900_000_000, `expiresAt: got ${expiresAt}`)
}

async function givesSecret(find: Find): Promise<void> {
  const { secrets } = knowCredential(await mustFind(find, 'billing'))
  must(secrets.length === 1, `expected one secret, got ${secrets.length}`)
  const [first] = secrets
  must(first !== undefined && equalBytes(secretBytes(first.secret), secret), 'the secret came back changed')
}

async function givesKey(find: Find): Promise<void> {
  const found = await mustFind(find, 'public')
  must(found.secret === undefined && (found.secrets ?? []).length === 0, 'a public key came with a secret')
  must(knowCredential(found).identifiedKey?.kind === 'ed25519', 'the public key came back changed')
}

async function findsInactive(find: Find): Promise<void> {
  const { active } = await mustFind(find, 'revoked')
  must(active === false, `active: expected false, got ${active}`)
}

async function findsOddIds(find: Find): Promise<void> {
  for (const id of oddIds) {
    const [first] = knowCredential(await mustFind(find, id)).secrets
    const right = utf8Encode(`secret of ${id}`)
    must(
      first !== undefined && equalBytes(secretBytes(first.secret), right),
      `${JSON.stringify(id)} has the secret of another`,
    )
  }
}

async function knowsNoOthers(find: Find): Promise<void> {
  for (const id of unknownIds) {
    const found = await find(id)
    must(found === undefined, `${JSON.stringify(id.slice(0, 40))} of ${id.length} characters is found`)
  }
}

function findsNothing(makeStore: MakeCredentialStore): () => Promise<void> {
  return async () => {
    const store = await makeStore([])
    for (const id of ['billing', '__proto__', '']) {
      must((await store.find(id, scheme)) === undefined, `${JSON.stringify(id)} is found`)
    }
  }
}

async function printsNoSecret(find: Find): Promise<void> {
  const found = await mustFind(find, 'billing')
  const text = JSON.stringify([found, Object.entries(found), String(found)])
  for (const encode of [hexEncode, base64Encode, base64urlEncode]) {
    must(!text.includes(encode(secret)), 'the secret prints')
  }
  const { secrets = [] } = found
  must(
    (found.secret === undefined || found.secret instanceof Secret) &&
      secrets.every((one) => one.secret instanceof Secret),
    'a secret is plain text',
  )
}

async function staysAsItIs(find: Find): Promise<void> {
  const found = await mustFind(find, 'billing')
  for (const [name, value] of [
    ['rights', ['*']],
    ['active', false],
    ['owner', 'mallory'],
  ] as const) {
    // A frozen object refuses; one that does not has to be the caller's own copy.
    Reflect.set(found, name, value)
  }
  if (found.rights !== undefined) Reflect.set(found.rights, 0, '*')
  const { rights = [], owner, active } = await mustFind(find, 'billing')
  must(rights.join() === 'invoices:read,invoices:write', 'what was found changes the rights that are held')
  must(owner === 'Ada Lovelace' && active !== false, 'what was found changes what is held')
}

async function answersAtOnce(find: Find): Promise<void> {
  const ids = ['billing', 'revoked', 'dated', 'public', 'unknown']
  const found = await Promise.all(Array.from({ length: 100 }, (_, i) => find(ids[i % ids.length] ?? '')))
  for (const [i, credential] of found.entries()) {
    const id = ids[i % ids.length]
    const wanted = id === 'unknown' ? undefined : id
    must(credential?.id === wanted, `call ${i} for ${id}: got ${credential?.id}`)
  }
}
