// What signing costs, against the bare crypto of the same signature and beside other libraries. Run: npx tsx bench/sign.ts
import { createHash, createHmac, createSecretKey, randomBytes } from 'node:crypto'
import {
  createSigner,
  type Patch,
  type RequestMessage,
  requestMessage,
  rfc9421,
  type Signer,
  secretFrom,
} from 'countersign'
import { client } from 'hawk'
import { createSignature } from 'http-message-sig'
import { httpbis } from 'http-message-signatures'
import { benchVerifier, mustBeOk } from './contestants.ts'
import { type Contestant, conditions, measure, report } from './measure.ts'
import {
  benchAuthority,
  benchComponents,
  benchKeyId,
  benchMethod,
  benchNow,
  benchSecret,
  type SignedRequest,
  signedRequests,
} from './requests.ts'

const requests = signedRequests(512)
const key = createSecretKey(benchSecret)
const peerBatch = 64

interface Unsigned {
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | undefined
  /** The finished base of the same signature, for the bare crypto. */
  readonly base: string
  readonly message: RequestMessage
}

const unsigned = (request: SignedRequest, withBody: boolean): Unsigned => {
  const url = `http://${benchAuthority}${request.target}`
  const headers: (readonly [string, string])[] = []
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? ''
    if (!/^(?:signature|content-digest|content-length)/i.test(name))
      headers.push([name, request.rawHeaders[i + 1] ?? ''])
  }
  const body = withBody ? request.body : undefined
  const base = withBody
    ? request.base
    : request.base.replace(/^"content-digest.*\n/m, '').replace(' "content-digest"', '')
  return { url, headers, body, base, message: messageOf({ url, headers, body }) }
}

const messageOf = ({ url, headers, body }: Pick<Unsigned, 'url' | 'headers' | 'body'>): RequestMessage =>
  requestMessage({ method: benchMethod, url, headers, ...(body === undefined ? {} : { body }) })

const signerFor = (withBody: boolean): Signer =>
  createSigner({
    scheme: rfc9421({ covers: benchComponents.filter((name) => withBody || name !== 'content-digest') }),
    credential: { id: benchKeyId, secret: secretFrom.bytes(benchSecret) },
    clock: () => benchNow,
  })

const mac = (base: string): string => createHmac('sha256', key).update(base).digest('base64')
const digest = (body: Uint8Array | undefined): string =>
  body === undefined ? '' : createHash('sha256').update(body).digest('base64')

function mustBeText(given: unknown): void {
  if (typeof given !== 'string' || given.length < 44) throw new Error('nothing was signed')
}

function mustSet(given: unknown): void {
  if (
    typeof given === 'object' &&
    given !== null &&
    'set' in given &&
    Array.isArray(given.set) &&
    given.set.length >= 2
  )
    return
  throw new Error('nothing was signed')
}

/** Puts what was signed in front of the verifier, once: a signature nobody accepts is worth nothing. */
function prove({ url, headers, body }: Unsigned, set: Patch['set']): void {
  mustBeOk(benchVerifier().verifySync(messageOf({ url, headers: [...headers, ...set], body })))
}

function contestants(withBody: boolean): readonly Contestant[] {
  const all = requests.map((request) => unsigned(request, withBody))
  const signer = signerFor(withBody)
  const at = (i: number): Unsigned => {
    const one = all[i % all.length]
    if (one === undefined) throw new Error('no requests')
    return one
  }
  prove(at(0), signer.signSync(at(0).message).set)
  const bare: Contestant = withBody
    ? {
        name: 'bare crypto: createHmac and createHash, base64',
        run: (i) => mac(at(i).base) + digest(at(i).body),
        check: mustBeText,
      }
    : { name: 'bare crypto: createHmac, base64', run: (i) => mac(at(i).base), check: mustBeText }
  return [
    bare,
    {
      name: 'the same and a nonce of randomBytes(16)',
      run: (i) => mac(at(i).base) + digest(at(i).body) + randomBytes(16).toString('base64url'),
      check: mustBeText,
    },
    { name: 'countersign signSync', run: (i) => signer.signSync(at(i).message), check: mustSet, atMost: 1.1 },
    {
      name: 'countersign sign, awaited',
      run: (i) => signer.sign(at(i).message),
      check: mustSet,
      atMost: 1.1,
    },
    {
      name: 'countersign requestMessage and signSync',
      run: (i) => signer.signSync(messageOf(at(i))),
      check: mustSet,
    },
    ...peers(all, withBody),
  ]
}

/** Neither makes a Content-Digest, so it is made by hand in front of them. Nonces are made as their users would. */
function peers(all: readonly Unsigned[], withBody: boolean): readonly Contestant[] {
  const forms = all
    .slice(0, peerBatch)
    .map(({ url, headers, body }) => ({ url, headers, body, record: Object.fromEntries(headers) }))
  const at = (i: number) => {
    const one = forms[i % forms.length]
    if (one === undefined) throw new Error('no requests')
    return one
  }
  const fields = benchComponents.filter((name) => withBody || name !== 'content-digest')
  const digestField = (body: Uint8Array | undefined): string => `sha-256=:${digest(body)}:`
  const signingKey = {
    id: benchKeyId,
    alg: 'hmac-sha256',
    sign: async (data: Uint8Array) => createHmac('sha256', key).update(data).digest(),
  }
  const peerSigner = {
    algorithm: 'hmac-sha256',
    sign: (data: Uint8Array) => createHmac('sha256', key).update(data).digest(),
  }
  const credentials = { id: benchKeyId, key: benchSecret.toString('hex'), algorithm: 'sha256' } as const
  const list: Contestant[] = [
    {
      name: `http-message-signatures signMessage${withBody ? ' + createHash' : ''}`,
      batch: peerBatch,
      run: async (i) => {
        const { url, record, body } = at(i)
        const headers = body === undefined ? record : { ...record, 'content-digest': digestField(body) }
        const nonce = randomBytes(16).toString('base64url')
        const signed = await httpbis.signMessage(
          { key: signingKey, fields, params: ['created', 'keyid', 'nonce'], paramValues: { nonce } },
          { method: benchMethod, url, headers },
        )
        return signed.headers.Signature
      },
      check: mustBeText,
    },
    {
      name: `http-message-sig createSignature${withBody ? ' + createHash' : ''}`,
      batch: peerBatch,
      run: async (i) => {
        const { url, headers, body } = at(i)
        const lines = headers.map(([name, value]) => ({ name, value }))
        if (body !== undefined) lines.push({ name: 'content-digest', value: digestField(body) })
        const nonce = randomBytes(16).toString('base64url')
        const signed = await createSignature(
          { kind: 'request', method: benchMethod, targetUri: url, fields: lines },
          {
            components: fields,
            parameters: { created: benchNow, keyid: benchKeyId, nonce },
            signer: peerSigner,
          },
        )
        return signed.signature
      },
      check: mustBeText,
    },
  ]
  if (withBody) {
    list.push({
      name: 'hawk client.header with payload',
      batch: peerBatch,
      run: (i) => {
        const { url, body } = at(i)
        if (body === undefined) throw new Error('no content')
        return client.header(url, benchMethod, {
          credentials,
          payload: body,
          contentType: 'application/json',
        }).header
      },
      check: mustBeText,
    })
  }
  return list
}

console.log(conditions())
const options = { rounds: 300, batch: 512 }
report('sign, RFC 9421 HMAC, 5 components, nonce, no content', await measure(contestants(false), options))
report(
  'sign, RFC 9421 HMAC, 6 components, nonce, 1 KiB of content',
  await measure(contestants(true), options),
)
