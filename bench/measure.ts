import { loadavg } from 'node:os'

/** One side of a comparison. It gets a running number, so that every call can have a request of its own. */
export interface Contestant {
  readonly name: string
  readonly run: (i: number) => unknown
  /** Told what `run` gave, awaited where it is a promise; throws where that is not what a good request gets. */
  readonly check?: (given: unknown) => void
  /** Calls in each round. Default: that of the run. Fewer for what is so slow that others would wait for it. */
  readonly batch?: number
  /** Most that it may take, as a multiple of the first of its table. Printed beside what it took. */
  readonly atMost?: number
}

/** What one contestant took, in nanoseconds per call. */
export interface Figure {
  readonly name: string
  readonly medianNs: number
  /** Lower quartile of the rounds: what is left where other work on the machine took its share of the upper half. */
  readonly lowNs: number
  readonly atMost: number | undefined
}

/** How to measure. */
export interface MeasureOptions {
  /** Default 60; a fifth of it where the process was started with `--quick`. */
  readonly rounds?: number
  /** Calls of each contestant in a round. Default 2000. */
  readonly batch?: number
  /** Done before each round, outside of the times: new requests, for instance. */
  readonly beforeRound?: () => void
}

const isQuick = process.argv.includes('--quick')

/**
 * Measures contestants interleaved: each round runs every one of them for `batch` calls, so that a slow spell of the machine
 * hits all alike. Each round begins with another one, so that none always finds the caches as its neighbour left them.
 */
export async function measure(
  contestants: readonly Contestant[],
  { rounds = 60, batch = 2000, beforeRound }: MeasureOptions = {},
): Promise<readonly Figure[]> {
  const samples = contestants.map((): number[] => [])
  const counted = isQuick ? Math.ceil(rounds / 5) : rounds
  let i = 0
  for (let round = -Math.max(3, Math.floor(counted / 10)); round < counted; round++) {
    beforeRound?.()
    for (let turn = 0; turn < contestants.length; turn++) {
      const c = (turn + round + contestants.length * 1000) % contestants.length
      const contestant = contestants[c]
      if (contestant === undefined) continue
      const calls = contestant.batch ?? batch
      const ns = await timed(contestant, i, calls)
      if (round >= 0) samples[c]?.push(ns / calls)
    }
    i += batch
  }
  return contestants.map(({ name, atMost }, c) => ({
    name,
    medianNs: median(samples[c] ?? []),
    lowNs: quantile(samples[c] ?? [], 0.25),
    atMost,
  }))
}

async function timed({ run, check = accept }: Contestant, from: number, calls: number): Promise<number> {
  const start = process.hrtime.bigint()
  for (let n = 0; n < calls; n++) {
    const given = run(from + n)
    check(given instanceof Promise ? await given : given)
  }
  return Number(process.hrtime.bigint() - start)
}

function accept(): void {}

/** Middle of a list of numbers. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The number below which a share of a list lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? 0
}

/** Prints figures as a table: medians and lower quartiles, each with its ratio to the first line. */
export function report(title: string, figures: readonly Figure[]): void {
  const [first] = figures
  console.log(`\n${title}`)
  console.log(`  ${''.padEnd(58)}    median            lower quartile`)
  for (const { name, medianNs, lowNs, atMost } of figures) {
    const ratio = medianNs / (first?.medianNs ?? 1)
    const line = [
      name.padEnd(58),
      `${microseconds(medianNs)} ${ratio.toFixed(2).padStart(6)}x`,
      `${microseconds(lowNs)} ${(lowNs / (first?.lowNs ?? 1)).toFixed(2).padStart(6)}x`,
    ]
    if (atMost !== undefined) line.push(limitText(ratio, atMost))
    console.log(`  ${line.join('  ')}`)
  }
}

/** Says whether a ratio keeps to its limit. */
export function limitText(ratio: number, atMost: number): string {
  return `at most ${atMost.toFixed(2)}x: ${ratio <= atMost ? 'kept' : 'MISSED'}`
}

/** Says on what the figures were taken. Other work on the machine makes them worth less, so its load stands beside them. */
export function conditions(): string {
  const load = loadavg()[0] ?? 0
  const noisy =
    load > 0.7 ? ' (not quiet: believe ratios rather than figures, lower quartiles rather than medians)' : ''
  return `Node ${process.version}, load ${load.toFixed(1)} at the start${noisy}${isQuick ? ', few rounds (--quick)' : ''}`
}

function microseconds(ns: number): string {
  return `${(ns / 1000).toFixed(2).padStart(8)} us`
}
