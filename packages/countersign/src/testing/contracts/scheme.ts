import { utf8Encode } from '../../bytes/utf8.ts'
import type { Credential } from '../../credentials/credential.ts'
import { type Body, bodyProblem } from '../../message/body.ts'
import { type RequestMessage, requestMessage, responseMessage, wireRequest } from '../../message/message.ts'
import { CountersignError } from '../../reasons/error.ts'
import type { Scheme } from '../../schemes/scheme.ts'
import type { Verdict } from '../../verifier/verdict.ts'
import { tamper } from '../tamper.ts'
import { type ContractCase, must } from './contract-case.ts'
import { hostileValues } from './hostile-values.ts'
import {
  bytesOf,
  mustRefuse,
  nowOf,
  type SchemeContractInput,
  type SchemeVector,
  sign,
  signerOf,
  verify,
  withLines,
} from './scheme-trial.ts'

const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
const host = { Host: 'api.example.test' }
const examples: readonly (readonly [name: string, message: RequestMessage])[] = [
  ['GET without a query', requestMessage({ url: '/v1/videos', headers: host })],
  ['GET with a query', requestMessage({ url: '/v1/videos?b=2&a=1&a=3&draft=', headers: host })],
  ['escapes', requestMessage({ url: '/v1/a%2Fb/%7Eme?q=x%20y+z%2B%C3%AB&n%5B0%5D=1', headers: host })],
  ['__proto__ in the query', requestMessage({ url: '/?__proto__=1&constructor=2', headers: host })],
  ['DELETE', requestMessage({ method: 'DELETE', url: '/v1/videos/17', headers: host })],
  [
    'POST with text',
    requestMessage({
      method: 'POST',
      url: '/v1/videos?notify=1',
      headers: { ...host, 'Content-Type': 'application/json', 'Content-Length': '17' },
      body: '{"title":"Caf\u00e9"}',
    }),
  ],
  ['PUT with every byte', requestMessage({ method: 'PUT', url: '/v1/upload', headers: host, body: bytes })],
]

const simple = requestMessage({ url: '/v1/videos?a=1', headers: host })
const withContent = requestMessage({ method: 'POST', url: '/v1/videos', headers: host, body: 'title=One' })
const usualCredentialFields = ['authorization', 'signature', 'signature-input']
const foreign = ['Basic Zm9vOmJhcg==', 'Bearer token', 'Unknown', '', ',', 'é', 'a'.repeat(65_536)]

/**
 * Gives what every scheme must do: what it signs verifies, one changed byte is refused, recorded vectors get their
 * verdict, and nothing that comes by wire makes it throw. Independent of any test framework.
 */
export function schemeContract(input: SchemeContractInput): readonly ContractCase[] {
  const { scheme, vectors = [] } = input
  return [
    ...examples.flatMap(([name, message]) =>
      input.signs?.(message) === false
        ? [{ name: `refuses to sign: ${name}`, run: () => refusesToSign(input, message) }]
        : [
            { name: `signs and verifies: ${name}`, run: () => roundTrips(input, message) },
            { name: `refuses every changed byte: ${name}`, run: () => refusesChanges(input, message) },
          ],
    ),
    { name: 'refuses the signature of another key', run: () => refusesStrangers(input) },
    { name: 'refuses an unknown key id', run: () => refusesUnknownKey(input) },
    { name: 'finds no signature where there is none', run: () => readsNothing(input) },
    { name: 'refuses hostile values, and never throws', run: () => refusesHostileValues(input) },
    { name: 'refuses each of its fields on two lines', run: () => refusesTwoLines(input) },
    { name: 'refuses a message whose field is missing', run: () => refusesMissingFields(input) },
    { name: 'leaves the message as it was, and no secret in the patch', run: () => leavesAlone(input) },
    { name: 'waits for a body, and refuses one that is cut off or too large', run: () => readsBodies(input) },
    { name: 'knows stale signatures if it says it signs a time', run: () => keepsTraits(input) },
    { name: 'gives a challenge that may stand in a field', run: async () => challengesLegally(scheme) },
    ...vectors.flatMap((vector) => vectorCases(input, vector)),
  ]
}

function vectorCases(input: SchemeContractInput, vector: SchemeVector): readonly ContractCase[] {
  const { name, message, credentials, now, accepted, signed } = vector
  const find = (keyId: string): Credential | undefined => credentials.find(({ id }) => id === keyId)
  const verdict = (received: RequestMessage): Promise<Verdict> => verify(input, received, { find, now })
  const cases: ContractCase[] = [
    {
      name: `${name}: ${accepted ? 'accepts' : 'refuses'} the recorded request`,
      run: async () => {
        const { ok } = await verdict(message)
        must(ok === accepted, `expected ${accepted ? 'accepted' : 'refused'}, and it was not`)
      },
    },
  ]
  if (accepted) {
    cases.push({
      name: `${name}: refuses every changed byte`,
      run: () => refusesAll(input, message, verdict),
    })
  }
  if (signed !== undefined) {
    cases.push({
      name: `${name}: signs to the byte`,
      run: async () => {
        const signer = signerOf({ ...input, signing: signed.credential }, now)
        const { set } = await signer.sign(signed.message)
        must(JSON.stringify(set) === JSON.stringify(signed.fields), 'the fields are not those recorded')
      },
    })
  }
  return cases
}

async function roundTrips(input: SchemeContractInput, message: RequestMessage): Promise<void> {
  const verdict = await verify(input, await sign(input, message))
  must(verdict.ok, `expected verified, got ${verdict.ok ? '' : `${verdict.reason}: ${verdict.detail}`}`)
  must(verdict.scheme === input.scheme.name, 'the verdict names another scheme')
  must(verdict.claim.keyId === input.signing.id, 'the claim names another key')
}

async function refusesToSign(input: SchemeContractInput, message: RequestMessage): Promise<void> {
  const failure = await sign(input, message).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  must(failure instanceof CountersignError, 'signed what it is said to have no form for')
}

async function refusesChanges(input: SchemeContractInput, message: RequestMessage): Promise<void> {
  await refusesAll(input, await sign(input, message), (received) => verify(input, received))
}

async function refusesAll(
  input: SchemeContractInput,
  signed: RequestMessage,
  verdictOn: (received: RequestMessage) => Promise<Verdict>,
): Promise<void> {
  const verdict = await verdictOn(signed)
  must(verdict.ok, 'the unchanged message was refused')
  const { covers } = verdict.claim
  const { set } = await signerOf(input).sign(simple)
  const credentialFields = [...usualCredentialFields, ...set.map(([name]) => name.toLowerCase())]
  let refused = 0
  for (const { name, message } of tamper(signed, { covers, credentialFields })) {
    const { ok } = await verdictOn(message)
    must(!ok || input.isSame?.(signed, message) === true, `accepted with one byte changed: ${name}`)
    if (!ok) refused++
  }
  must(refused > 0, 'no change was refused: the claim covers nothing')
}

async function refusesStrangers(input: SchemeContractInput): Promise<void> {
  for (const message of [simple, withContent]) {
    const signed = await sign({ ...input, signing: input.stranger }, message)
    mustRefuse(await verify(input, signed), 'signature-mismatch')
  }
}

async function refusesUnknownKey(input: SchemeContractInput): Promise<void> {
  const signed = await sign(input, withContent)
  mustRefuse(await verify(input, signed, { find: () => undefined }), 'credential-unknown')
}

async function readsNothing(input: SchemeContractInput): Promise<void> {
  mustRefuse(await verify(input, simple), 'signature-absent')
  for (const value of foreign) {
    mustRefuse(await verify(input, withLines(simple, ['Authorization', value])), 'signature-absent')
  }
  for (const status of [200, 401]) {
    const claims = input.scheme.read(responseMessage({ status, headers: { Authorization: 'Basic Zm9v' } }))
    must(claims === undefined, 'read a signature on a response that has none')
  }
}

async function refusesHostileValues(input: SchemeContractInput): Promise<void> {
  const signed = await sign(input, withContent)
  for (const name of await signatureFields(input)) {
    const line = signed.fields.findIndex((field, i) => i % 2 === 0 && field === name)
    for (const [what, value] of hostileValues(signed.fields[line + 1] ?? '')) {
      const message = wireRequest({ ...signed, fields: signed.fields.with(line + 1, value) })
      const verdict = await verify(input, message)
      must(!verdict.ok, `accepted ${name}: ${what}`)
      must(verdict.status < 500, `${name}: ${what}: expected 4xx, got ${verdict.status}`)
      must(
        !value.includes('a'.repeat(64)) || !verdict.detail.includes('a'.repeat(64)),
        'echoes what was sent',
      )
    }
  }
}

async function refusesTwoLines(input: SchemeContractInput): Promise<void> {
  const signed = await sign(input, withContent)
  for (const name of await signatureFields(input)) {
    const line = signed.fields.findIndex((field, i) => i % 2 === 0 && field === name)
    const value = signed.fields[line + 1] ?? ''
    for (const second of [value, '', 'Basic Zm9vOmJhcg==', value.toUpperCase()]) {
      const after = withLines(signed, [name, second])
      const before = wireRequest({ ...signed, fields: [name.toUpperCase(), second, ...signed.fields] })
      must(!(await verify(input, after)).ok, `accepted ${name} on two lines, the good one first`)
      must(!(await verify(input, before)).ok, `accepted ${name} on two lines, the good one last`)
    }
  }
}

async function refusesMissingFields(input: SchemeContractInput): Promise<void> {
  const signed = await sign(input, withContent)
  for (const name of await signatureFields(input)) {
    const line = signed.fields.indexOf(name)
    const fields = signed.fields.toSpliced(line, 2)
    must(!(await verify(input, wireRequest({ ...signed, fields }))).ok, `accepted without ${name}`)
  }
}

async function leavesAlone(input: SchemeContractInput): Promise<void> {
  const frozen = Object.freeze({ ...withContent, fields: Object.freeze([...withContent.fields]) })
  const body = [...utf8Encode('title=One')].join()
  const signed = await sign(input, frozen)
  must(frozen.body instanceof Uint8Array && frozen.body.join() === body, 'the body was written to')
  must(
    frozen.fields.every((field, i) => signed.fields[i] === field),
    'fields in front were changed',
  )
  const { secret } = input.signing
  const shows = typeof secret === 'string' && signed.fields.some((field) => field.includes(secret))
  must(!shows, 'the secret stands in a field')
}

async function readsBodies(input: SchemeContractInput): Promise<void> {
  const signed = await sign(input, withContent)
  const verdict = await verify(input, signed)
  must(verdict.ok, 'the unchanged message was refused')
  // A scheme that has no place for the content never asks for it.
  if (verdict.warnings.includes('content-uncovered')) return
  const content = signed.body
  const over = (body: Body): RequestMessage => wireRequest({ ...signed, body })
  const late = await verify(input, over({ kind: 'body-source', bytes: async () => bytesOf(content) }))
  must(late.ok, 'refused a body that comes later')
  const short = over({ kind: 'body-source', bytes: async () => bytesOf(content).subarray(1) })
  must(!(await verify(input, short)).ok, 'accepted a body that came without its first byte')
  const cut = over({ kind: 'body-source', bytes: () => bodyProblem('incomplete') })
  mustRefuse(await verify(input, cut), 'message-malformed')
  const large = over({ kind: 'body-source', bytes: () => bodyProblem('too-large') })
  mustRefuse(await verify(input, large), 'body-too-large')
  const policy = { ...input.policy, limitBytes: bytesOf(content).length - 1 }
  mustRefuse(await verify({ ...input, policy }, signed), 'body-too-large')
}

async function keepsTraits(input: SchemeContractInput): Promise<void> {
  const signed = await sign(input, simple)
  const later = await verify(input, signed, { now: nowOf(input) + 1_000_000 })
  if (input.scheme.traits.time) mustRefuse(later, 'created-stale', 'expired')
  else must(later.ok, 'refused a late message although no time is signed')
}

function challengesLegally(scheme: Scheme): void {
  for (const [name, value] of scheme.challenge(['@method', '@target-uri', 'content-digest'])) {
    must(/^[A-Za-z-]+$/.test(name), 'the name of a challenge field is not one')
    must(/^[\x20-\x7e]+$/.test(value), 'a challenge has characters that a field may not have')
  }
}

/** Names of the fields the signature itself is written in; those it covers are not among them. */
async function signatureFields(input: SchemeContractInput): Promise<readonly string[]> {
  const verdict = await verify(input, await sign(input, withContent))
  must(verdict.ok, 'the unchanged message was refused')
  const { covers } = verdict.claim
  const { set } = await signerOf(input).sign(withContent)
  const names = set.map(([name]) => name).filter((name) => !covers.includes(name.toLowerCase()))
  must(names.length > 0, 'no field carries the signature')
  return names
}
