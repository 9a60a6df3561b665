// What verifying costs, against the bare crypto of a naive check and beside other libraries. Run: npx tsx bench/verify.ts
import { verifying } from './contestants.ts'
import { conditions, measure, report } from './measure.ts'
import { verifyingHawk, verifyingPeers } from './peers.ts'
import { requestSet } from './requests.ts'

const set = requestSet(512)
const first = set.signed()
const ours = verifying(first)
const peers = verifyingPeers(first)
const contestants = [...ours.contestants, ...peers.contestants]
const hawk = verifyingHawk(first)

console.log(conditions())
// All in one run. Every round plays each request once, signed anew before it, so that its nonces are fresh.
const figures = await measure([...contestants, ...hawk], {
  rounds: 300,
  batch: set.count,
  beforeRound: () => {
    const signed = set.signed()
    ours.take(signed)
    peers.take(signed)
  },
})
report(
  'verify, RFC 9421 HMAC, 6 components, 1 KiB of content, distinct requests',
  figures.slice(0, contestants.length),
)
report(
  'verify, Hawk, 1 KiB of content, distinct requests, against its own limit',
  figures.slice(contestants.length),
)
