/** One side of a comparison. It gets the round's number, so that every call can have a request of its own. */
export interface Contestant {
  readonly name: string
  readonly run: (i: number) => unknown
}

/** Median nanoseconds per call of one contestant. */
export interface Figure {
  readonly name: string
  readonly medianNs: number
  /** Against the first contestant. */
  readonly ratio: number
}

/**
 * Measures contestants interleaved: each round runs every one of them for `batch` calls in turn, so that a slow spell of the
 * machine hits all alike. Gives medians over the rounds and the ratio to the first.
 */
export async function measure(
  contestants: readonly Contestant[],
  { rounds = 60, batch = 2000 }: { readonly rounds?: number; readonly batch?: number } = {},
): Promise<readonly Figure[]> {
  const samples = contestants.map((): number[] => [])
  let i = 0
  const warmRounds = Math.max(3, Math.floor(rounds / 10))
  for (let round = -warmRounds; round < rounds; round++) {
    for (const [c, { run }] of contestants.entries()) {
      const start = process.hrtime.bigint()
      for (let n = 0; n < batch; n++) {
        const given = run(i + n)
        if (given instanceof Promise) await given
      }
      const ns = Number(process.hrtime.bigint() - start) / batch
      if (round >= 0) samples[c]?.push(ns)
    }
    i += batch
  }
  const medians = samples.map(median)
  return contestants.map(({ name }, c) => ({
    name,
    medianNs: medians[c] ?? 0,
    ratio: (medians[c] ?? 0) / (medians[0] ?? 1),
  }))
}

/** Middle of a list of numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** Prints figures as a table. */
export function report(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}`)
  for (const { name, medianNs, ratio } of figures) {
    console.log(`  ${name.padEnd(58)} ${(medianNs / 1000).toFixed(2).padStart(9)} us  ${ratio.toFixed(2).padStart(6)}x`)
  }
}
