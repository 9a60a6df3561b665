/*
 * Parsing and serialising one Signature-Input, ours beside `structured-headers`, in microseconds: `npx tsx bench/structured-fields.ts`.
 * Rounds are interleaved, so that a slow stretch of the machine hits both alike; the median round counts.
 */
import { parseDictionary as parseTheirs, serializeDictionary as serializeTheirs } from 'structured-headers'
import { parseDictionary } from '../packages/countersign/src/structured-fields/parse.ts'
import { serializeDictionary } from '../packages/countersign/src/structured-fields/serialize.ts'

const rounds = 41
const callsPerRound = 4000

// Distinct values of one shape, as a server sees them: nothing is won by having seen the very same text before.
const inputs = Array.from({ length: 1000 }, (_, i) => {
  const nonce = `${i}`.padStart(4, '0').repeat(6)
  return (
    'sig1=("@method" "@target-uri" "@authority" "content-digest" "content-type" "content-length" "date" ' +
    '"x-request-id" "x-idempotency-key");' +
    `created=${1618884473 + i};expires=${1618884773 + i};nonce="${nonce}";` +
    'keyid="test-shared-secret";alg="hmac-sha256";tag="billing-service-v1-production-eu"'
  )
})

const ours = inputs.map((input) => {
  const parsed = parseDictionary(input)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
})
const theirs = inputs.map((input) => parseTheirs(input))

let kept = 0
const cases: readonly { readonly name: string; readonly run: (i: number) => number }[] = [
  { name: 'parse, ours', run: (i) => (parseDictionary(at(inputs, i)).ok ? 1 : 0) },
  {
    name: 'parse, ours, duplicates refused',
    run: (i) => (parseDictionary(at(inputs, i), refuse).ok ? 1 : 0),
  },
  { name: 'parse, structured-headers', run: (i) => parseTheirs(at(inputs, i)).size },
  { name: 'serialise, ours', run: (i) => serializeDictionary(at(ours, i)).length },
  { name: 'serialise, structured-headers', run: (i) => serializeTheirs(at(theirs, i)).length },
]
const refuse = { onDuplicate: 'refuse' } as const

function at<T>(values: readonly T[], i: number): T {
  const value = values[i % values.length]
  if (value === undefined) throw new Error('no inputs')
  return value
}

const times = cases.map((): number[] => [])
for (let round = -5; round < rounds; round++) {
  for (const [c, { run }] of cases.entries()) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < callsPerRound; i++) kept += run(i)
    const microseconds = Number(process.hrtime.bigint() - start) / 1000 / callsPerRound
    if (round >= 0) times[c]?.push(microseconds)
  }
}

console.log(
  `one Signature-Input of ${at(inputs, 0).length} characters, Node ${process.version}, medians of ${rounds} rounds`,
)
for (const [c, { name }] of cases.entries()) {
  const median = times[c]?.sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN
  console.log(`${name.padEnd(34)}${median.toFixed(2).padStart(8)} us`)
}
if (kept === 0) throw new Error('nothing was parsed')
