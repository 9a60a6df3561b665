import { fieldValue, fieldValues } from '../../message/field-lines.ts'
import { redirectBehaviours } from './client-redirects.ts'
import {
  type ClientContractInput,
  expectFailure,
  expectVerified,
  inTrial,
  note,
  type Trial,
} from './client-trial.ts'
import { type ContractCase, must } from './contract-case.ts'

export type {
  ClientContractInput,
  ClientRequest,
  ClientUnderTest,
  ContractServer,
  ServerAnswer,
} from './client-trial.ts'

const covers = ['@method', '@target-uri', '@authority', 'x-note']
const contentCovers = [...covers, 'content-digest', 'content-type']

/**
 * What every HTTP client door must do, as behaviours to be run by any test runner. Requests go over real sockets to a
 * server that verifies them, nonces included.
 */
export function clientContract(input: ClientContractInput): readonly ContractCase[] {
  const behaviour = (name: string, components: readonly string[], run: (trial: Trial) => Promise<void>) => ({
    name,
    run: () => inTrial(input, components, run),
  })
  return [
    behaviour('signs a GET so that it verifies', covers, async ({ origin, arrivals, send }) => {
      const answer = await send({ url: `${origin}/a`, method: 'GET', headers: note })
      expectVerified(arrivals, ['GET /a'])
      must(answer.status === 200 && answer.body === 'ok', 'the answer of the server is given back')
    }),
    behaviour('signs a HEAD so that it verifies', covers, async ({ origin, arrivals, send }) => {
      const answer = await send({ url: `${origin}/a`, method: 'HEAD', headers: note })
      expectVerified(arrivals, ['HEAD /a'])
      must(answer.status === 200 && answer.body === '', 'the answer has a status and no content')
    }),
    behaviour('sends every byte of a body as it is', contentCovers, async ({ origin, arrivals, send }) => {
      const body = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31 + (i >> 8)) & 255)
      await send({ url: `${origin}/a`, method: 'POST', headers: { ...note, 'Content-Type': 'x/y' }, body })
      expectVerified(arrivals, ['POST /a'])
      const received = arrivals[0]?.message.body
      const same = received instanceof Uint8Array && received.length === body.length
      must(same && received.every((byte, i) => byte === body[i]), 'the body arrived byte for byte')
    }),
    behaviour('signs a POST without content', covers, async ({ origin, arrivals, send }) => {
      await send({ url: `${origin}/a`, method: 'POST', headers: note })
      await send({ url: `${origin}/b`, method: 'POST', headers: note, body: new Uint8Array(0) })
      expectVerified(arrivals, ['POST /a', 'POST /b'])
    }),
    behaviour('leaves path and query as they are spelled', covers, async ({ origin, arrivals, send }) => {
      const target = '/a%2Fb/%7e;v=1//c?b=2&a=1&a=%20+%2B&empty=&bare&=&u=%C3%A9&p=50%25'
      await send({ url: origin + target, method: 'GET', headers: note })
      expectVerified(arrivals, [`GET ${target}`])
    }),
    behaviour('signs the target it really sends', covers, async ({ origin, arrivals, send }) => {
      // What a client makes of these is its own affair; what it signs has to be the same.
      for (const target of ['', '?', '/?', '/a/../b/./c', '/a?q#fragment', '/%7E/%2e%2e/x']) {
        await send({ url: origin + target, method: 'GET', headers: note })
      }
      must(arrivals.length === 6, 'six requests arrived')
      for (const { message, verdict } of arrivals) must(verdict.ok, `${message.target} verifies`)
    }),
    behaviour('keeps the fields of the caller', contentCovers, async ({ origin, arrivals, send }) => {
      const headers = { ...note, 'Content-Type': 'text/x-own; charset=ascii', Accept: 'a/b', Cookie: 'c=d' }
      await send({ url: `${origin}/a`, method: 'PUT', headers, body: Uint8Array.of(1, 2, 3) })
      expectVerified(arrivals, ['PUT /a'])
      const fields = arrivals[0]?.message.fields ?? []
      for (const [name, value] of Object.entries(headers)) {
        const received = fieldValues(fields, name.toLowerCase())
        must(received.length === 1 && received[0] === value, `${name} arrived once, as given`)
      }
    }),
    behaviour('signs each attempt afresh', covers, async ({ origin, arrivals, send }) => {
      const request = { url: `${origin}/a`, method: 'GET', headers: note }
      await send(request)
      await send(request)
      // The verifier records nonces: a repeated one would have been refused.
      expectVerified(arrivals, ['GET /a', 'GET /a'])
      const [first, second] = arrivals.map(({ message }) => fieldValue(message.fields, 'signature-input'))
      must(first !== undefined && first !== second, 'the two signatures differ')
    }),
    behaviour('signs attempts that run at once', covers, async ({ origin, arrivals, send }) => {
      const targets = Array.from({ length: 12 }, (_, i) => `/${i}`)
      await Promise.all(targets.map((target) => send({ url: origin + target, method: 'GET', headers: note })))
      must(arrivals.length === targets.length, 'all requests arrived')
      must(
        arrivals.every(({ verdict }) => verdict.ok),
        'all requests verify',
      )
    }),
    ...redirectBehaviours(input),
    behaviour('refuses to sign a field value that is not ASCII', covers, async (trial) => {
      for (const value of ['caf\u00e9', 'snow \u2603']) {
        const request = { url: `${trial.origin}/a`, method: 'GET', headers: { 'X-Note': value } }
        await expectFailure(trial.send(request), 'a covered field that is not ASCII')
      }
      must(trial.arrivals.length === 0, 'nothing was sent')
    }),
    behaviour('refuses to sign a covered field that is missing', covers, async (trial) => {
      await expectFailure(
        trial.send({ url: `${trial.origin}/a`, method: 'GET', headers: {} }),
        'a missing covered field',
      )
      must(trial.arrivals.length === 0, 'nothing was sent')
    }),
  ]
}
