import type { RequestMessage } from '../../message/message.ts'
import { rfc9421 } from '../../schemes/rfc9421/rfc9421.ts'
import { createSigner, type Signer } from '../../signer/signer.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { createVerifier } from '../../verifier/verifier.ts'
import { must } from './contract-case.ts'

/** A request that the contract wants sent. */
export interface ClientRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** Signs and sends one request, following same-origin redirects; gives the status and the text of the last response. */
export type ClientUnderTest = (
  request: ClientRequest,
) => Promise<{ readonly status: number; readonly body: string }>

/** What a server of the contract answers. */
export interface ServerAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A listening server. */
export interface ContractServer {
  /** As `http://127.0.0.1:49152`. */
  readonly origin: string
  close(): Promise<void>
}

/** What a client door is proven with. */
export interface ClientContractInput {
  /** Makes the client, with its default options but that it follows redirects. */
  readonly makeClient: (signer: Signer) => ClientUnderTest
  /** Listens on a free port of this machine and answers each request. The messages have their whole body as bytes. */
  readonly startServer: (
    answer: (message: RequestMessage) => Promise<ServerAnswer>,
  ) => Promise<ContractServer>
}

/** A request as it reached the server, and what the verifier said of it. */
export interface Arrival {
  readonly message: RequestMessage
  readonly verdict: Verdict
}

/** One client against one verifying server. */
export interface Trial {
  readonly origin: string
  /** In the order in which they came. */
  readonly arrivals: readonly Arrival[]
  readonly send: ClientUnderTest
}

/** Gives the answer to a verified request. */
export type Route = (message: RequestMessage) => ServerAnswer

const credential = { id: 'contract', secret: 'a secret of the client contract, known to both' }
/** A field of the caller, covered where `covers` says so. */
export const note: Readonly<Record<string, string>> = { 'X-Note': 'kept' }
/** Answers 200. */
export const ok: Route = () => ({ status: 200, headers: {}, body: 'ok' })

/** Runs one behaviour with a server and a client of its own. `covers`: as in `rfc9421`. */
export async function inTrial(
  { makeClient, startServer }: ClientContractInput,
  covers: readonly string[] | undefined,
  run: (trial: Trial) => Promise<void>,
  route: Route = ok,
): Promise<void> {
  const arrivals: Arrival[] = []
  const nonces = new Set<string>()
  const verifier = createVerifier({
    schemes: [rfc9421()],
    credentials: (keyId) => (keyId === credential.id ? credential : undefined),
    nonces: { record: (nonce) => (nonces.size < nonces.add(nonce).size ? 'fresh' : 'seen') },
  })
  const server = await startServer(async (message) => {
    const verdict = await verifier.verify(message)
    arrivals.push({ message, verdict })
    return verdict.ok ? route(message) : { status: verdict.status, headers: {}, body: verdict.reason }
  })
  try {
    const signer = createSigner({ scheme: rfc9421(covers === undefined ? {} : { covers }), credential })
    await run({ origin: server.origin, arrivals, send: makeClient(signer) })
  } finally {
    await server.close()
  }
}

/** Requires that exactly these requests arrived (`GET /a`) and that all verified. */
export function expectVerified(arrivals: readonly Arrival[], expected: readonly string[]): void {
  const lines = arrivals.map(({ message }) => `${message.method} ${message.target}`)
  must(lines.join('\n') === expected.join('\n'), `arrived: ${expected.join(', ')} (was ${lines.join(', ')})`)
  for (const { message, verdict } of arrivals) {
    if (!verdict.ok) throw new Error(`${message.target} was refused: ${verdict.reason}, ${verdict.detail}`)
  }
}

/** Requires that a request fails with an Error. */
export async function expectFailure(sent: Promise<unknown>, what: string): Promise<void> {
  const failure = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  must(failure instanceof Error, `the client fails with an Error on ${what}`)
}
