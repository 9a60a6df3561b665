import { fieldValues } from '../../message/field-lines.ts'
import {
  type ClientContractInput,
  expectFailure,
  expectVerified,
  inTrial,
  note,
  ok,
  type Route,
  type ServerAnswer,
  type Trial,
} from './client-trial.ts'
import { type ContractCase, must } from './contract-case.ts'

/** What a client that follows redirects must do. */
export function redirectBehaviours(input: ClientContractInput): readonly ContractCase[] {
  const behaviour = (name: string, route: Route, run: (trial: Trial) => Promise<void>) => ({
    name,
    run: () => inTrial(input, undefined, run, route),
  })
  const to = (status: number, location: string): ServerAnswer => ({
    status,
    headers: { location },
    body: 'elsewhere',
  })
  const from = (answer: ServerAnswer): Route => {
    return (message) => (message.parts.path === '/from' ? answer : ok(message))
  }
  const text = { ...note, 'Content-Type': 'text/plain' }
  const body = Uint8Array.of(104, 105)
  return [
    ...[301, 302, 303, 307, 308].map((status) =>
      behaviour(
        `signs a GET afresh behind a ${status} of the same origin`,
        from(to(status, '/to?x=%7e')),
        async ({ origin, arrivals, send }) => {
          const answer = await send({ url: `${origin}/from`, method: 'GET', headers: note })
          expectVerified(arrivals, ['GET /from', 'GET /to?x=%7e'])
          must(answer.status === 200, 'the last answer is given back')
        },
      ),
    ),
    ...[307, 308].map((status) =>
      behaviour(
        `sends method and body again behind a ${status}`,
        from(to(status, '/to')),
        async ({ origin, arrivals, send }) => {
          await send({ url: `${origin}/from`, method: 'POST', headers: text, body })
          expectVerified(arrivals, ['POST /from', 'POST /to'])
          const received = arrivals[1]?.message.body
          must(received instanceof Uint8Array && received.length === 2, 'the body was sent again')
        },
      ),
    ),
    ...[301, 302, 303].map((status) =>
      behaviour(
        `turns a POST into a GET without content behind a ${status}`,
        from(to(status, 'to')),
        async ({ origin, arrivals, send }) => {
          await send({ url: `${origin}/from`, method: 'POST', headers: text, body })
          expectVerified(arrivals, ['POST /from', 'GET /to'])
          const fields = arrivals[1]?.message.fields ?? []
          must(fieldValues(fields, 'content-type').length === 0, 'Content-Type went with the content')
          must(fieldValues(fields, 'x-note')[0] === 'kept', 'other fields stayed')
        },
      ),
    ),
    behaviour(
      'gives back a redirect that has no Location',
      from({ ...to(302, ''), headers: {} }),
      async (trial) => {
        const answer = await trial.send({ url: `${trial.origin}/from`, method: 'GET', headers: note })
        must(answer.status === 302 && trial.arrivals.length === 1, 'it is an answer like any other')
      },
    ),
    behaviour(
      'ends a circle of redirects',
      () => to(302, '/from'),
      async (trial) => {
        const sent = trial.send({ url: `${trial.origin}/from`, method: 'GET', headers: note })
        await expectFailure(sent, 'more than 20 redirects')
        must(trial.arrivals.length === 21, 'one request and 20 redirects were sent')
      },
    ),
    {
      name: 'sends nothing to another origin',
      run: async () => {
        let reached = 0
        const other = await input.startServer(async (message) => {
          reached++
          return ok(message)
        })
        try {
          for (const status of [302, 307]) {
            const route = () => to(status, `${other.origin}/to`)
            await inTrial(
              input,
              undefined,
              async ({ origin, arrivals, send }) => {
                const sent = send({ url: `${origin}/from`, method: 'POST', headers: text, body })
                await expectFailure(sent, 'a redirect to another origin')
                expectVerified(arrivals, ['POST /from'])
              },
              route,
            )
          }
          must(reached === 0, 'the other origin was never asked')
        } finally {
          await other.close()
        }
      },
    },
  ]
}
