import { utf8DecodeLossy, utf8Encode } from '../../bytes/utf8.ts'
import type { Credential } from '../../credentials/credential.ts'
import { type FieldLines, fieldValue } from '../../message/field-lines.ts'
import { requestMessage } from '../../message/message.ts'
import { rfc9421 } from '../../schemes/rfc9421/rfc9421.ts'
import type { Scheme } from '../../schemes/scheme.ts'
import { ustudioHmac } from '../../schemes/ustudio-hmac.ts'
import { createSigner } from '../../signer/signer.ts'
import { memoryCredentials, memoryNonces } from '../../stores/memory.ts'
import type { Verified } from '../../verifier/verdict.ts'
import { createVerifier, type Verifier } from '../../verifier/verifier.ts'
import { settableClock } from '../clock.ts'
import { must } from './contract-case.ts'
import {
  latin1,
  type RawConnection,
  requestBytes,
  type WireClient,
  type WireResponse,
  wireClient,
} from './server-wire.ts'

/** What a handler of the contract sees. */
export interface SeenRequest {
  readonly signature: Verified | undefined
  /** What the parser made of the body: a JSON value, a form as an object, raw bytes, or nothing. */
  readonly body: unknown
}

/** One guard of a route, with options that every Node door takes. */
export interface RouteGuard {
  readonly kind: 'require' | 'read'
  readonly verifier: Verifier
  readonly options: {
    readonly rights?: readonly string[]
    readonly policy?: { readonly mode: 'warn' | 'observe' }
    readonly bodyTimeoutMs?: number
    readonly maxFields?: number
    readonly respond?: () => {
      readonly status: number
      readonly headers: readonly (readonly [string, string])[]
      readonly body: string
    }
  }
}

/** A route to be served for every method. The one with the path `/*` is for all that no other is for. */
export interface ContractRoute {
  readonly path: string
  /** Prefix under which the framework mounts the guards, the parser and the handler as a part of their own. */
  readonly mount?: string
  /** In order. */
  readonly guards: readonly RouteGuard[]
  /** The framework's own parser, with a limit of 2 MiB at least. `form` is `application/x-www-form-urlencoded`; `raw` takes any type. */
  readonly parser: 'none' | 'json' | 'form' | 'raw'
  /** Where the parser stands: behind the last guard, behind the first, or in front of them all. */
  readonly parserStands: 'behind' | 'between' | 'before'
  /** Gives the JSON text to answer with, with status 200. */
  readonly handle: (seen: SeenRequest) => string
}

/** A listening server. */
export interface RunningServer {
  connect(): Promise<RawConnection>
  close(): Promise<void>
}

/** What a server door is proven with. */
export interface ServerContractInput {
  /** Serves the routes on the framework, on a free port of this machine, in plain HTTP/1.1. */
  readonly makeServer: (routes: readonly ContractRoute[]) => Promise<RunningServer>
  /** Whether the server holds `100 Continue` back until the header fields have stood. */
  readonly holdsContinue: boolean
}

/** A request to be signed. */
export interface TrialRequest {
  readonly method?: string
  readonly target: string
  readonly fields?: FieldLines
  readonly body?: string | Uint8Array
  /** Default: one that the server knows and that may read invoices. */
  readonly credential?: Credential
  readonly scheme?: Scheme
}

/** A server and all that it takes to talk to it. */
export interface Trial {
  readonly input: ServerContractInput
  /** Gives the field lines of a signed request, Host first. */
  sign(request: TrialRequest): Promise<FieldLines>
  /** Gives the bytes of a signed request. */
  signed(request: TrialRequest): Promise<Uint8Array>
  open(): Promise<WireClient>
  /** Sends bytes on a connection of their own and gives the first final response. */
  send(data: string | Uint8Array): Promise<WireResponse>
  /** Paths of the routes whose handlers ran. */
  readonly reached: readonly string[]
}

/** One behaviour: its name, and what to do against a server of its own. */
export type TrialBehaviour = readonly [name: string, run: (trial: Trial) => Promise<void>]

/** A credential that the servers of the contract know. */
export const caller: Credential = {
  id: 'caller',
  secret: 'secret of the caller, known to both sides',
  rights: ['invoices:read'],
}

/** Host of every request. */
export const host = 'contract.test'

/** Runs one behaviour against a server of its own. */
export async function inTrial(
  input: ServerContractInput,
  run: (trial: Trial) => Promise<void>,
): Promise<void> {
  const clock = settableClock(1_750_000_000)
  const reached: string[] = []
  const server = await input.makeServer(contractRoutes(contractVerifier(clock), reached))
  const clients: WireClient[] = []
  const open = async (): Promise<WireClient> => {
    const client = wireClient(await server.connect())
    clients.push(client)
    return client
  }
  const sign = async (request: TrialRequest): Promise<FieldLines> => {
    const { method = 'GET', target, fields = [], body, credential = caller, scheme = rfc9421() } = request
    const lines = ['Host', host, ...fields]
    const url = `http://${host}${target}`
    const headers = pairs(lines)
    const message = requestMessage({ method, url, headers, ...(body === undefined ? {} : { body }) })
    const patch = await createSigner({ scheme, credential, clock }).sign(message)
    return [...lines, ...patch.set.flat()]
  }
  const trial: Trial = {
    input,
    reached,
    open,
    sign,
    async signed(request) {
      const { method = 'GET', target } = request
      const body = typeof request.body === 'string' ? utf8Encode(request.body) : request.body
      return requestBytes({ method, target, fields: await sign(request), body })
    },
    async send(data) {
      const client = await open()
      client.write(data)
      let response = await client.next()
      while (response !== undefined && response.status < 200) response = await client.next()
      must(response !== undefined, 'the server answers before it closes the connection')
      return response
    },
  }
  try {
    await run(trial)
  } finally {
    for (const client of clients) client.destroy()
    await server.close()
  }
}

/** Checks that a request was refused as outsiders may see it. */
export function mustRefuse(response: WireResponse | undefined, status: number, reason: string): void {
  must(response !== undefined, 'the server answers before it closes the connection')
  must(response.status === status, `the status is ${status}, not ${response.status}`)
  const type = fieldValue(response.fields, 'content-type') ?? ''
  must(type.startsWith('application/problem+json'), 'the content is problem details')
  must(fieldValue(response.fields, 'cache-control') === 'no-store', 'no cache keeps the answer')
  const problem: unknown = JSON.parse(response.body)
  const told =
    typeof problem === 'object' && problem !== null && 'reason' in problem ? problem.reason : undefined
  must(told === reason, `the reason told is ${reason}, not ${String(told)}`)
}

/** Checks that the handler answered, and what it saw. */
export function mustPass(
  response: WireResponse | undefined,
  seen: Readonly<Record<string, unknown>> = {},
): void {
  must(response !== undefined, 'the server answers before it closes the connection')
  must(response.status === 200, `the status is 200, not ${response.status}`)
  const answer = JSON.stringify({ caller: caller.id, ...seen })
  const told = utf8DecodeLossy(latin1(response.body))
  must(told === answer, `the handler saw ${answer}, not ${told}`)
}

function contractVerifier(clock: () => number): Verifier {
  const known = memoryCredentials([caller, { id: 'plain', secret: 'secret of a caller without any right' }])
  return createVerifier({
    schemes: [rfc9421(), ustudioHmac()],
    credentials: (keyId) => {
      if (keyId === 'down') throw new Error('the store of this contract is down')
      return known.find(keyId, '')
    },
    nonces: memoryNonces({ clock }),
    clock,
  })
}

function contractRoutes(verifier: Verifier, reached: string[]): readonly ContractRoute[] {
  const required: RouteGuard = { kind: 'require', verifier, options: { bodyTimeoutMs: 10_000 } }
  const optional: RouteGuard = { kind: 'read', verifier, options: {} }
  const withOptions = (options: RouteGuard['options']): RouteGuard => ({ ...required, options })
  const route = (
    path: string,
    guards: readonly RouteGuard[],
    other: Partial<ContractRoute> = {},
  ): ContractRoute => ({
    path,
    guards,
    parser: 'none',
    parserStands: 'behind',
    handle: ({ signature, body }) => {
      reached.push(path)
      return JSON.stringify({ caller: signature?.credential.id ?? null, body: seenBody(body) })
    },
    ...other,
  })
  return [
    route('/signed', [required]),
    route('/json', [required], { parser: 'json' }),
    route('/form', [required], { parser: 'form' }),
    route('/raw', [required], { parser: 'raw' }),
    route('/inner', [required], { mount: '/mounted' }),
    route('/maybe', [optional]),
    route('/rights', [withOptions({ rights: ['invoices:read'] })]),
    route('/late', [required], { parser: 'json', parserStands: 'before' }),
    route('/twice', [optional, withOptions({ rights: ['invoices:read'] })], {
      parser: 'json',
      parserStands: 'between',
    }),
    route('/warn', [withOptions({ policy: { mode: 'warn' } })], { parser: 'raw' }),
    route('/observe', [withOptions({ policy: { mode: 'observe' } })], { parser: 'raw' }),
    route('/slow', [withOptions({ bodyTimeoutMs: 50 })], { parser: 'raw' }),
    route('/custom', [
      withOptions({
        respond: () => ({
          status: 418,
          headers: [
            ['X-Own', 'a'],
            ['X-Own', 'b'],
          ],
          body: 'own',
        }),
      }),
    ]),
    route('/broken', [{ ...required, verifier: { ...verifier, verify: () => Promise.reject(undefined) } }]),
    route('/*', [required]),
  ]
}

function seenBody(body: unknown): unknown {
  return body instanceof Uint8Array ? fingerprint(body) : body
}

/** Gives length and FNV-1a hash of bytes, as the handlers tell them of a raw body. */
export function fingerprint(bytes: Uint8Array): string {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return `${bytes.length} bytes, ${hash >>> 0}`
}

function pairs(lines: FieldLines): readonly (readonly [string, string])[] {
  return lines.flatMap((name, i) => (i % 2 === 0 ? [[name, lines[i + 1] ?? ''] as const] : []))
}
