import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { replayToken } from '../packages/countersign/src/replay/token.ts'
import { memoryNonces } from '../packages/countersign/src/stores/memory.ts'
import { median } from './measure.ts'
import { benchKeyId, benchNow } from './requests.ts'

/** What one run of one contestant gave. */
interface Run {
  /** Nanoseconds a token: recording fresh ones while the store grows. */
  readonly freshNs: number
  /** Nanoseconds a token: recording each once more, in another order. */
  readonly seenNs: number
  /** Bytes a live token. */
  readonly bytes: number
  /** Longest of all calls, in milliseconds. */
  readonly worstMs: number
}

type Recorder = (token: string, expiresAt: number) => 'fresh' | 'seen'

const contestants: Readonly<Record<string, (limit: number) => Recorder>> = {
  // What a service writes in five lines: bounded by nothing, swept by nothing.
  Map: () => {
    const ends = new Map<string, number>()
    return (token, expiresAt) => {
      const end = ends.get(token)
      if (end !== undefined && end >= benchNow) return 'seen'
      ends.set(token, expiresAt)
      return 'fresh'
    }
  },
  memoryNonces: (limit) => memoryNonces({ limit, clock: () => benchNow }).record,
}

function occupied(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function tokensOf(count: number): string[] {
  const random = randomBytes(12)
  return Array.from({ length: count }, (_, i) => {
    random.writeUInt32LE(i, 4)
    return copy(replayToken('rfc9421', benchKeyId, random.toString('base64url')))
  })
}

/** Writes and reads text again: a flat string of its own, as a header field gives it. */
function copy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function runOne(name: string, count: number): Run {
  const make = contestants[name]
  if (make === undefined) throw new Error(`no contestant ${name}`)
  // Warm code, so that the compiler's work is not counted as a pause.
  const warm = make(200_000)
  for (const token of tokensOf(100_000)) warm(token, benchNow + 300)

  const before = occupied()
  let tokens: string[] | undefined = tokensOf(count)
  const record = make(count + 1)
  let worst = 0n
  let last = process.hrtime.bigint()
  const started = last
  for (const [i, token] of tokens.entries()) {
    if (record(token, benchNow + 300 + (i % 30)) !== 'fresh') throw new Error('a fresh token was refused')
    const now = process.hrtime.bigint()
    if (now - last > worst) worst = now - last
    last = now
  }
  const freshNs = Number(last - started) / count
  // Copies, as each request brings a string of its own: one that was looked up before carries its hash for the Map.
  let copies: string[] | undefined = tokens.map((_, i) => copy(tokens?.[(i * 7919) % count] ?? ''))
  const again = process.hrtime.bigint()
  for (const token of copies) {
    if (record(token, benchNow + 300) !== 'seen') throw new Error('a token was forgotten')
  }
  const seenNs = Number(process.hrtime.bigint() - again) / count
  copies = undefined
  tokens = undefined
  const bytes = (occupied() - before) / count
  if (record('kept', benchNow + 1) === undefined) throw new Error('unreachable')
  return { freshNs, seenNs, bytes, worstMs: Number(worst) / 1e6 }
}

function isRun(value: unknown): value is Run {
  return typeof value === 'object' && value !== null && 'worstMs' in value
}

/** Runs every contestant in turn, each time in a process of its own, so that none inherits another's heap. */
function compare(count: number, rounds: number): void {
  const runs = new Map(Object.keys(contestants).map((name): [string, Run[]] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, list] of runs) {
      const text = execFileSync(
        process.execPath,
        ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), name, String(count)],
        { encoding: 'utf8' },
      )
      const run: unknown = JSON.parse(text)
      if (isRun(run)) list.push(run)
    }
  }
  console.log(`\n${count} live nonces, medians of ${rounds} processes each`)
  for (const [name, list] of runs) {
    const middle = (pick: (run: Run) => number) => median(list.map(pick))
    console.log(
      `  ${name.padEnd(14)} fresh ${middle((run) => run.freshNs).toFixed(0)} ns  seen ${middle((run) => run.seenNs).toFixed(0)} ns` +
        `  ${middle((run) => run.bytes).toFixed(1)} bytes each  worst pause ${middle((run) => run.worstMs).toFixed(1)} ms`,
    )
  }
}

const [, , first = '1000000', second] = process.argv
if (second === undefined) compare(Number(first), 5)
else console.log(JSON.stringify(runOne(first, Number(second))))
