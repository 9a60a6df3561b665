// What it costs to refuse requests made to be dear, against verifying a good one. Run: npx tsx bench/hostile.ts
import { randomBytes } from 'node:crypto'
import {
  createVerifier,
  memoryCredentials,
  rfc9421,
  secretFrom,
  ustudioHmac,
  type Verdict,
  wireRequest,
} from 'countersign'
import { benchMessage, mustBeOk } from './contestants.ts'
import { type HostileRequest, hostileRequests } from './hostile-requests.ts'
import { type Contestant, conditions, type Figure, limitText, measure } from './measure.ts'
import { benchKeyId, benchMethod, benchNow, benchSecret, signedRequests } from './requests.ts'

/** Most that a refusal may take, as a multiple of a good verification. */
const atMost = 5
const shown = 20
const variants = 16

const verifier = createVerifier({
  schemes: [rfc9421(), ustudioHmac()],
  credentials: memoryCredentials([{ id: benchKeyId, secret: secretFrom.bytes(benchSecret) }]),
  clock: () => benchNow,
})
const good = signedRequests(512)
const body = randomBytes(1024)

const cases = new Map<string, HostileRequest[]>()
for (let variant = 0; variant < variants; variant++) {
  for (const request of hostileRequests()) {
    const list = cases.get(request.name)
    if (list === undefined) cases.set(request.name, [request])
    else list.push(request)
  }
}

function judge({ target, rawHeaders }: HostileRequest): Verdict {
  return verifier.verifySync(
    wireRequest({ method: benchMethod, target, scheme: 'http', fields: rawHeaders, body }),
  )
}

/** Calls in a round: 32, or as many as go into 5 ms where that is less. */
function batchFor(requests: readonly HostileRequest[]): number {
  const start = performance.now()
  let calls = 0
  while (calls < 10 * variants && performance.now() - start < 50) {
    const request = requests[calls++ % requests.length]
    if (request !== undefined) judge(request)
  }
  const callMs = (performance.now() - start) / calls
  return Math.max(1, Math.min(2 * variants, Math.floor(5 / callMs)))
}

const reasons = new Map<string, string>()
const contestants = [...cases].map(([name, requests]): Contestant => {
  const [first] = requests
  if (first === undefined) throw new Error('no requests')
  const verdict = judge(first)
  if (verdict.ok) throw new Error(`${name}: was accepted`)
  reasons.set(name, `${verdict.reason}: ${verdict.detail}`)
  return {
    name,
    batch: batchFor(requests),
    run: (i) => judge(requests[i % variants] ?? first),
    check: (given) => {
      if (typeof given !== 'object' || given === null || !('ok' in given) || given.ok !== false) {
        throw new Error(`${name}: was accepted`)
      }
    },
  }
})

console.log(conditions())
const [baseline, ...figures] = await measure(
  [
    {
      name: 'a good request',
      run: (i) => {
        const request = good[i % good.length]
        return request === undefined ? undefined : verifier.verifySync(benchMessage(request))
      },
      check: mustBeOk,
    },
    ...contestants,
  ],
  { rounds: 100, batch: 512 },
)
if (baseline === undefined) throw new Error('nothing was measured')

// Of the two estimates the kinder one: noise of the machine must not be taken for a dear refusal.
const ratioOf = ({ medianNs, lowNs }: Figure): number =>
  Math.min(medianNs / baseline.medianNs, lowNs / baseline.lowNs)
const sorted = [...figures].sort((a, b) => ratioOf(b) - ratioOf(a))
console.log(`\nrefusing hostile requests of 10 KB: the dearest ${shown} of ${sorted.length} kinds`)
console.log(
  `  ${'a good request, 1 KiB of content'.padEnd(46)} ${(baseline.medianNs / 1000).toFixed(1).padStart(8)} us`,
)
for (const figure of sorted.slice(0, shown)) {
  const { name, medianNs } = figure
  const why = (reasons.get(name) ?? '').slice(0, 70)
  console.log(
    `  ${name.padEnd(46)} ${(medianNs / 1000).toFixed(1).padStart(8)} us ${ratioOf(figure).toFixed(2).padStart(7)}x  ${why}`,
  )
}
const [worst] = sorted
if (worst !== undefined)
  console.log(`  worst: ${ratioOf(worst).toFixed(2)}x, ${limitText(ratioOf(worst), atMost)}`)
