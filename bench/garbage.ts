/*
 * Bytes allocated by one verification. Run: npx tsx bench/garbage.ts (starts itself again with the flags it needs).
 *
 * In a new space so large that nothing is collected, the heap grows by exactly what is allocated. Each batch begins with
 * an empty one (a full collection would also drop compiled code and what it has learnt, and count its making); a batch
 * during which a collection ran all the same is thrown away. An allocator of known size is measured first.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { GCProfiler } from 'node:v8'
import { verifying } from './contestants.ts'
import { type Contestant, conditions, median } from './measure.ts'
import { verifyingHawk, verifyingPeers } from './peers.ts'
import { requestSet } from './requests.ts'

const semiSpaceMebibytes = 256
const calls = 512
const batches = 15
/** The limit for one verification, in bytes of heap. */
const limitBytes = 4096

/** What one call allocates: on the heap, and outside of it for the content of buffers. */
interface Allocated {
  readonly heapBytes: number
  readonly bufferBytes: number
}

const { gc } = globalThis
if (gc === undefined) {
  const flags = [
    '--expose-gc',
    `--min-semi-space-size=${semiSpaceMebibytes}`,
    `--max-semi-space-size=${semiSpaceMebibytes}`,
  ]
  execFileSync(
    process.execPath,
    [...flags, '--import', 'tsx', fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    { stdio: 'inherit' },
  )
} else await run(gc)

async function run(collect: NodeJS.GCFunction): Promise<void> {
  console.log(conditions())
  await checkAgainstKnown(collect)
  const set = requestSet(calls)
  const first = set.signed()
  const ours = verifying(first)
  const peers = verifyingPeers(first)
  const takeAnew = (): void => {
    const signed = set.signed()
    ours.take(signed)
    peers.take(signed)
  }
  console.log('\nbytes allocated by one verification, median of batches')
  console.log(`  ${''.padEnd(58)}     heap   buffers`)
  for (const contestant of [...ours.contestants, ...peers.contestants, ...verifyingHawk(first)]) {
    const { heapBytes, bufferBytes } = await allocatedBy(contestant, takeAnew, collect)
    const verdict = contestant.name.startsWith('countersign')
      ? `  at most ${limitBytes}: ${heapBytes <= limitBytes ? 'kept' : 'MISSED'}`
      : ''
    console.log(
      `  ${contestant.name.padEnd(58)} ${heapBytes.toFixed(0).padStart(8)}  ${bufferBytes.toFixed(0).padStart(8)}${verdict}`,
    )
  }
}

/** Measures objects whose size is known. @throws Error where the method is off by more than a fiftieth. */
async function checkAgainstKnown(collect: NodeJS.GCFunction): Promise<void> {
  // An array literal of ten doubles: 32 bytes of array, 16 of its store, 8 for each. They are kept, so that none is optimised away.
  const kept: number[][] = []
  const expected = 32 + 16 + 10 * 8
  const { heapBytes } = await allocatedBy(
    {
      name: 'known',
      run: (i) => {
        const x = i + 0.5
        kept[i % calls] = [x, x, x, x, x, x, x, x, x, x]
      },
    },
    () => {},
    collect,
  )
  console.log(`check of the method: ${heapBytes.toFixed(1)} bytes measured where ${expected} are allocated`)
  if (Math.abs(heapBytes - expected) > expected / 100)
    throw new Error('the method does not measure what is allocated')
}

/** Gives what one call allocates, once its code is compiled. */
async function allocatedBy(
  { run, check, batch = calls }: Contestant,
  before: () => void,
  collect: NodeJS.GCFunction,
): Promise<Allocated> {
  const play = async (): Promise<void> => {
    for (let i = 0; i < batch; i++) {
      const given = run(i)
      check?.(given instanceof Promise ? await given : given)
    }
  }
  for (let round = 0; round < 10_000 / batch; round++) {
    before()
    await play()
  }
  const heap: number[] = []
  const buffers: number[] = []
  for (let tries = 0; heap.length < batches; tries++) {
    if (tries > 4 * batches) throw new Error('the heap was collected in nearly every batch')
    before()
    collect({ type: 'minor' })
    const profiler = new GCProfiler()
    profiler.start()
    const start = process.memoryUsage()
    await play()
    const end = process.memoryUsage()
    if (profiler.stop().statistics.length > 0) continue
    heap.push((end.heapUsed - start.heapUsed) / batch)
    buffers.push((end.arrayBuffers - start.arrayBuffers) / batch)
  }
  return { heapBytes: median(heap), bufferBytes: median(buffers) }
}
