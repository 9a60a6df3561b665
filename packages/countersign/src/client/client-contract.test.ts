import { createServer } from 'node:http'
import { describe, it } from 'vitest'
import type { RequestMessage } from '../message/message.ts'
import { wireRequest } from '../message/message.ts'
import type { Signer } from '../signer/signer.ts'
import {
  type ClientUnderTest,
  type ContractServer,
  clientContract,
  type ServerAnswer,
} from '../testing/contracts/client.ts'
import { signedFetch } from './fetch.ts'
import { signedRequest } from './node-http.ts'

/** Builds messages from Node's raw facts here, so that a fault of the server doors cannot hide one of the clients. */
async function startServer(
  answer: (message: RequestMessage) => Promise<ServerAnswer>,
): Promise<ContractServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url: target = '', rawHeaders: fields } = request
    const given = await answer(
      wireRequest({ method, target, scheme: 'http', fields, body: Buffer.concat(chunks) }),
    )
    response.writeHead(given.status, given.headers).end(given.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const doors: Readonly<Record<string, (signer: Signer) => ClientUnderTest>> = {
  'signedFetch over the fetch of Node': (signer) => {
    const fetch = signedFetch(signer)
    return async ({ url, method, headers, body }) => {
      const response = await fetch(url, { method, headers, body: body === undefined ? null : body.slice() })
      return { status: response.status, body: await response.text() }
    }
  },
  'signedRequest over node:http': (signer) => async (request) => {
    const { url, method, headers, body } = request
    const response = await signedRequest(signer, url, { method, headers, redirect: 'follow' }, body)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }
  },
}

for (const [door, makeClient] of Object.entries(doors)) {
  describe(door, () => {
    for (const { name, run } of clientContract({ makeClient, startServer })) it(name, run)
  })
}
