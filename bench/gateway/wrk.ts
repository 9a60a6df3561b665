import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pinned } from './pin.ts'
import type { PreSigned } from './pre-signed.ts'

/** What one run of load gave. */
export interface LoadResult {
  readonly requests: number
  readonly microseconds: number
  /** Latency that half, and 99 of 100 requests kept below, in microseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers with a status of 400 or more. */
  readonly statuses: number
  /** Connections, reads and writes that failed, and requests that got no answer. */
  readonly failures: number
}

/** Connections that are kept busy. Enough to leave no server waiting, few enough that none queues for long. */
export const connections = 64

/** Keeps all connections busy with the requests of a file for some seconds. */
export function load(port: number, seconds: number, { path, count, recordBytes }: PreSigned): LoadResult {
  const [command, args] = pinned('load', 'wrk', [
    '--threads=1',
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    '--timeout=5s',
    `--script=${fileURLToPath(new URL('play.lua', import.meta.url))}`,
    `http://127.0.0.1:${port}/`,
    '--',
    path,
    String(count),
    String(recordBytes),
  ])
  const text = execFileSync(command, args, { encoding: 'utf8' })
  const result: unknown = JSON.parse(/^result (.*)$/m.exec(text)?.[1] ?? 'null')
  if (!isLoadResult(result)) throw new Error(`wrk did not say what it measured:\n${text}`)
  return result
}

function isLoadResult(value: unknown): value is LoadResult {
  return typeof value === 'object' && value !== null && 'requests' in value && 'failures' in value
}
