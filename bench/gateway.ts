/*
 * The gateway under load, beside other ways to put a check in front of a service. Needs nginx and wrk (Debian:
 * apt-get install nginx-light wrk). Run: npx tsx bench/gateway.ts [--quick]. Everything listens on 127.0.0.1 and ends with
 * the run, which takes about four minutes.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Entrance,
  gatewayName,
  handWrittenName,
  type Line,
  openGatewayName,
  startLine,
} from './gateway/contestants.ts'
import { nginxProgram } from './gateway/nginx.ts'
import { isPinned, processors } from './gateway/pin.ts'
import { type PreSigned, writePreSigned } from './gateway/pre-signed.ts'
import { processorTime } from './gateway/running.ts'
import { connections, load } from './gateway/wrk.ts'
import { conditions, median } from './measure.ts'

/** What one contestant did in one round. */
interface Sample {
  readonly perSecond: number
  readonly cpuMicroseconds: number
  readonly p99: number
  readonly residentBytes: number
  /** Share of its time that the processor of load and service was busy. */
  readonly loadBusy: number
}

const isQuick = process.argv.includes('--quick')
const rounds = isQuick ? 2 : 5
const seconds = isQuick ? 2 : 4
/** Rounds before the first that counts: compilers of Node need some seconds of load before they are done. */
const warmRounds = 2
/** More than any that verifies gets through: a request played twice is a replay. */
const mostPerSecond = 25_000

if (nginxProgram === undefined || !existsSync('/usr/bin/wrk')) {
  console.log(
    'SKIPPED: the gateway under load. nginx or wrk is not installed (apt-get install nginx-light wrk).',
  )
} else {
  const directory = mkdtempSync(join(tmpdir(), 'bench-gateway-'))
  try {
    await run(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function run(directory: string): Promise<void> {
  console.log(conditions())
  const line = await startLine(directory)
  const path = join(directory, 'requests')
  try {
    const probes = writePreSigned(path, line.entrances.length, line.credential)
    for (const [i, entrance] of line.entrances.entries()) await prove(entrance, recordOf(probes, i))
    const samples = new Map(line.entrances.map(({ name }): [string, Sample[]] => [name, []]))
    for (let round = -warmRounds; round < rounds; round++) playRound(line, path, round, samples)
    print(samples)
  } finally {
    await line.stop()
  }
}

function playRound(
  { entrances, credential }: Line,
  path: string,
  round: number,
  samples: Map<string, Sample[]>,
): void {
  const requests = writePreSigned(path, seconds * mostPerSecond, credential)
  for (let turn = 0; turn < entrances.length; turn++) {
    const entrance = entrances[(turn + round + warmRounds) % entrances.length]
    if (entrance === undefined) continue
    const sample = play(entrance, requests)
    if (round >= 0) samples.get(entrance.name)?.push(sample)
  }
}

function play({ name, port, programs }: Entrance, requests: PreSigned): Sample {
  const cpu = () => programs.reduce((total, program) => total + program.cpuMicroseconds(), 0)
  const cpuBefore = cpu()
  const loadBefore = processorTime(processors.load)
  const result = load(port, seconds, requests)
  const loadAfter = processorTime(processors.load)
  if (result.statuses > 0 || result.failures > 0) {
    throw new Error(`${name}: ${result.statuses} refused, ${result.failures} failed, of ${result.requests}`)
  }
  return {
    perSecond: (result.requests * 1e6) / result.microseconds,
    cpuMicroseconds: (cpu() - cpuBefore) / result.requests,
    p99: result.p99,
    residentBytes: programs.reduce((total, program) => total + program.residentBytes(), 0),
    loadBusy: (loadAfter.busy - loadBefore.busy) / (loadAfter.total - loadBefore.total),
  }
}

/** A contestant that lets a replay or an unsigned request pass checks nothing, and its figures would be worth nothing. */
async function prove({ name, port, verifies }: Entrance, signed: Buffer): Promise<void> {
  const unsigned = Buffer.from(signed.toString('latin1').replace(/^Signature.*\r\n/gm, ''), 'latin1')
  const statuses = [await ask(port, signed), await ask(port, signed), await ask(port, unsigned)].join(' ')
  const expected = verifies ? '200 401 401' : '200 200 200'
  if (statuses !== expected) throw new Error(`${name}: answered ${statuses}, expected ${expected}`)
}

function recordOf({ path, recordBytes }: PreSigned, i: number): Buffer {
  return readFileSync(path).subarray(i * recordBytes, (i + 1) * recordBytes)
}

function ask(port: number, request: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString('latin1').split(' ')[1] ?? '')
    })
    socket.once('error', reject)
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer')))
  })
}

function print(samples: ReadonlyMap<string, readonly Sample[]>): void {
  const middle = (name: string, pick: (sample: Sample) => number): number =>
    median((samples.get(name) ?? []).map(pick))
  const perSecond = (name: string) => middle(name, (sample) => sample.perSecond)
  const [plain = ''] = samples.keys()
  console.log(
    `\n1 KiB JSON POST, ${connections} connections, medians of ${rounds} rounds of ${seconds} s` +
      (isPinned
        ? ', each contestant on one processor of its own'
        : ', NOT pinned to processors of their own'),
  )
  console.log(`  ${''.padEnd(50)}  req/s    ratio   CPU us   p99 ms   RSS MB   load side busy`)
  for (const name of samples.keys()) {
    const cells = [
      perSecond(name).toFixed(0).padStart(7),
      (perSecond(name) / perSecond(plain)).toFixed(2).padStart(7),
      middle(name, (sample) => sample.cpuMicroseconds)
        .toFixed(1)
        .padStart(7),
      (middle(name, (sample) => sample.p99) / 1000).toFixed(1).padStart(7),
      (middle(name, (sample) => sample.residentBytes) / 1e6).toFixed(0).padStart(7),
      `${(middle(name, (sample) => sample.loadBusy) * 100).toFixed(0)} %`.padStart(12),
    ]
    console.log(`  ${name.padEnd(50)}${cells.join('  ')}`)
  }
  least('against the same proxy with verification off', openGatewayName, 0.8)
  least('against nginx + auth_request to a hand-written verifier', handWrittenName, 0.95)

  function least(what: string, other: string, limit: number): void {
    const ratio = perSecond(gatewayName) / perSecond(other)
    const cpu =
      middle(gatewayName, (sample) => sample.cpuMicroseconds) /
      middle(other, (sample) => sample.cpuMicroseconds)
    const verdict = ratio >= limit ? 'kept' : 'MISSED'
    console.log(
      `  ${what}: ${ratio.toFixed(2)}x the requests per second (at least ${limit.toFixed(2)}x: ${verdict}), ${cpu.toFixed(2)}x the CPU of each`,
    )
  }
}
