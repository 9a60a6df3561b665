import { fieldValue, fieldValues } from '../../message/field-lines.ts'
import { ustudioHmac } from '../../schemes/ustudio-hmac.ts'
import { type ContractCase, must } from './contract-case.ts'
import { bodyBehaviours } from './server-bodies.ts'
import { hostileBehaviours } from './server-hostile.ts'
import {
  host,
  inTrial,
  mustPass,
  mustRefuse,
  type ServerContractInput,
  type Trial,
  type TrialBehaviour,
} from './server-trial.ts'
import { requestBytes } from './server-wire.ts'

export type {
  ContractRoute,
  RouteGuard,
  RunningServer,
  SeenRequest,
  ServerContractInput,
} from './server-trial.ts'
export type { RawConnection } from './server-wire.ts'

/**
 * What every server door must do, as behaviours to be run by any test runner. Requests are written byte by byte to real
 * sockets, each behaviour against a server of its own.
 */
export function serverContract(input: ServerContractInput): readonly ContractCase[] {
  const behaviours = [...guardBehaviours, ...bodyBehaviours, ...hostileBehaviours]
  return behaviours.map(([name, run]) => ({ name, run: () => inTrial(input, run) }))
}

const ghost = { id: 'ghost', secret: 'a secret that the server does not know of' }
const impostor = { id: 'caller', secret: 'not the secret that the caller has' }
const plain = { id: 'plain', secret: 'secret of a caller without any right' }

async function mustBeAnonymous(trial: Trial, path: string, data: string | Uint8Array): Promise<void> {
  mustPass(await trial.send(data), { caller: null })
  must(trial.reached.length === 1 && trial.reached[0] === path, 'the handler ran once')
}

const guardBehaviours: readonly TrialBehaviour[] = [
  [
    'lets a signed request pass and names its caller',
    async ({ send, signed }) => {
      mustPass(await send(await signed({ target: '/signed' })))
      mustPass(await send(await signed({ target: '/signed', method: 'DELETE' })))
      mustPass(await send(await signed({ target: '/signed', scheme: ustudioHmac() })))
    },
  ],
  [
    'refuses a request without a signature, and says how to sign',
    async ({ send, reached }) => {
      const response = await send(`GET /signed HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      mustRefuse(response, 401, 'signature-absent')
      must(fieldValues(response.fields, 'www-authenticate').length > 0, 'the answer has a challenge')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'tells outsiders the same of an unknown key and of a wrong signature',
    async ({ send, signed, reached }) => {
      const answers: string[] = []
      for (const credential of [ghost, impostor]) {
        const response = await send(await signed({ target: '/signed', credential }))
        mustRefuse(response, 401, 'signature-refused')
        const fields = response.fields.filter(
          (_, i, all) => (all[i - (i % 2)] ?? '').toLowerCase() !== 'date',
        )
        answers.push(JSON.stringify([fields, response.body]))
      }
      must(answers[0] === answers[1], 'both answers are the same')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'refuses what was changed on the way: method, path, query, covered field',
    async ({ send, sign, reached }) => {
      const fields = await sign({
        method: 'POST',
        target: '/signed?a=1',
        fields: ['Content-Type', 'a/b'],
        body: 'x',
      })
      const body = Uint8Array.of(120)
      const sent = { method: 'POST', target: '/signed?a=1', fields, body }
      const changed = fields.map((part) => (part === 'a/b' ? 'a/c' : part))
      for (const change of [
        { method: 'PUT' },
        { target: '/signed/?a=1' },
        { target: '/signed?a=2' },
        { fields: changed },
      ]) {
        mustRefuse(await send(requestBytes({ ...sent, ...change })), 401, 'signature-refused')
      }
      must(reached.length === 0, 'the handler did not run')
      mustPass(await send(requestBytes(sent)))
    },
  ],
  [
    'takes the target as it was sent',
    async ({ send, signed }) => {
      for (const query of ['?', '?a=%7e&A=%7E&b=+&c=%2f', '?a&&=&b=', "?'()*!~", '?a=1?b=2']) {
        mustPass(await send(await signed({ target: `/signed${query}` })))
      }
      mustPass(await send(await signed({ target: '/anything%2Felse/%7e;v=1' })))
    },
  ],
  [
    'verifies the whole target under a mount point',
    async ({ send, signed, sign, reached }) => {
      mustPass(await send(await signed({ target: '/mounted/inner?a=1' })))
      const fields = await sign({ target: '/inner?a=1' })
      const response = await send(requestBytes({ method: 'GET', target: '/mounted/inner?a=1', fields }))
      mustRefuse(response, 401, 'signature-refused')
      must(reached.length === 1, 'the handler ran once')
    },
  ],
  [
    'answers a HEAD request, and refuses one, without content',
    async ({ open, signed }) => {
      const client = await open()
      client.write(await signed({ method: 'HEAD', target: '/signed' }))
      must((await client.next(true))?.status === 200, 'the status is 200')
      client.write(`HEAD /signed HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      must((await client.next(true))?.status === 401, 'the status is 401')
      client.write(await signed({ target: '/signed' }))
      mustPass(await client.next())
    },
  ],
  [
    'refuses a request that was seen before',
    async ({ send, signed, reached }) => {
      const bytes = await signed({ target: '/signed' })
      mustPass(await send(bytes))
      mustRefuse(await send(bytes), 401, 'replayed')
      must(reached.length === 1, 'the handler ran once')
    },
  ],
  [
    'answers 403 where the caller lacks a right',
    async ({ send, signed, reached }) => {
      mustPass(await send(await signed({ target: '/rights' })))
      mustRefuse(await send(await signed({ target: '/rights', credential: plain })), 403, 'right-missing')
      must(reached.length === 1, 'the handler ran once')
    },
  ],
  [
    'answers 503 where a store is down',
    async ({ send, signed, reached }) => {
      const response = await send(await signed({ target: '/signed', credential: { ...ghost, id: 'down' } }))
      mustRefuse(response, 503, 'store-unavailable')
      must(fieldValue(response.fields, 'retry-after') !== undefined, 'the answer says when to try again')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'reads a signature where none is needed',
    async ({ send, signed }) => mustPass(await send(await signed({ target: '/maybe' }))),
  ],
  [
    'lets an anonymous request pass where no signature is needed',
    (trial) => mustBeAnonymous(trial, '/maybe', `GET /maybe HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  ],
  [
    'takes nobody with a wrong signature for anonymous',
    async ({ send, signed, sign, reached }) => {
      mustRefuse(
        await send(await signed({ target: '/maybe', credential: impostor })),
        401,
        'signature-refused',
      )
      const fields = (await sign({ target: '/maybe' })).map((part) => part.replace('sig1=:', 'sig1=:!'))
      mustRefuse(
        await send(requestBytes({ method: 'GET', target: '/maybe', fields })),
        401,
        'signature-malformed',
      )
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'lets pass with a warning, and without identity, in the mode warn',
    async ({ send, signed }) => {
      const response = await send(await signed({ target: '/warn', credential: impostor }))
      mustPass(response, { caller: null })
      must(
        fieldValue(response.fields, 'countersign-warning') === 'signature-refused',
        'the answer has a warning',
      )
      mustPass(await send(await signed({ target: '/warn' })))
    },
  ],
  [
    'lets pass in silence, and without identity, in the mode observe',
    async ({ send, signed }) => {
      const response = await send(await signed({ target: '/observe', credential: impostor }))
      mustPass(response, { caller: null })
      must(fieldValue(response.fields, 'countersign-warning') === undefined, 'the answer has no warning')
    },
  ],
  [
    'sends the answer that the application makes of a refusal',
    async ({ send, reached }) => {
      const response = await send(`GET /custom HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      must(response.status === 418 && response.body === 'own', 'status and content are its own')
      must(fieldValues(response.fields, 'x-own').join() === 'a,b', 'every line of a field is sent')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
  [
    'goes by one verdict where two guards stand in a row, and checks the rights of both',
    async ({ send, signed, reached }) => {
      const request = {
        method: 'POST',
        target: '/twice',
        fields: ['Content-Type', 'application/json'],
        body: '{"a":1}',
      }
      mustPass(await send(await signed(request)), { body: { a: 1 } })
      mustRefuse(await send(await signed({ ...request, credential: plain })), 403, 'right-missing')
      const fields = ['Host', host, ...request.fields]
      const anonymous = requestBytes({ ...request, fields, body: Uint8Array.of(123, 125) })
      mustRefuse(await send(anonymous), 401, 'signature-absent')
      must(reached.length === 1, 'the handler ran once')
    },
  ],
  [
    'answers 500 where a verification fails with nothing at all, and runs no handler',
    async ({ send, signed, reached }) => {
      must((await send(await signed({ target: '/broken' }))).status === 500, 'the status is 500')
      must(reached.length === 0, 'the handler did not run')
    },
  ],
]
