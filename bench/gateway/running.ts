import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { pinned, type Side } from './pin.ts'

/** A program that was started and listens. */
export interface Running {
  readonly port: number
  /** Processor time that it and its children have used, in microseconds. */
  cpuMicroseconds(): number
  /** Memory that it and its children hold, in bytes. What they share is counted for each. */
  residentBytes(): number
  stop(): Promise<void>
}

/** How to start a program. */
export interface StartOptions {
  readonly side: Side
  readonly program: string
  readonly args: readonly string[]
  readonly port: number
  /** Takes what it says on standard error. */
  readonly logPath: string
  readonly env?: Readonly<Record<string, string>>
}

const startMs = 20_000
// Linux counts processor time in hundredths of a second, whatever its own clock does (USER_HZ).
const tickMicroseconds = 10_000

/** Starts a program and waits until it listens. @throws Error where it ends before, or does not listen in time. */
export async function start(options: StartOptions): Promise<Running> {
  const { side, program, args, port, logPath } = options
  const [command, all] = pinned(side, program, args)
  const log = openSync(logPath, 'a', 0o600)
  const child = spawn(command, all, {
    stdio: ['ignore', 'ignore', log],
    env: { ...process.env, NODE_ENV: 'production', ...options.env },
  })
  closeSync(log)
  const deadline = Date.now() + startMs
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await end(child)
      throw new Error(`${program} does not listen:\n${readFileSync(logPath, 'utf8').slice(-2000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const pids = () => (child.pid === undefined ? [] : treeOf(child.pid))
  return {
    port,
    cpuMicroseconds: () => sum(pids().map(cpuOf)),
    residentBytes: () => sum(pids().map(residentOf)),
    stop: () => end(child),
  }
}

/** Tells how much of the time since boot a processor was busy, and that time, in ticks: for the share between two moments. */
export function processorTime(processor: string): { readonly busy: number; readonly total: number } {
  const line = readFileSync('/proc/stat', 'utf8').match(new RegExp(`^cpu${processor} (.*)$`, 'm'))?.[1] ?? ''
  const ticks = line.split(' ').map(Number)
  const total = sum(ticks.slice(0, 8))
  return { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total }
}

/** Gives a port of the loopback address that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(timer)
}

function treeOf(pid: number): readonly number[] {
  const children: number[] = []
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
    for (const child of text.split(' ')) if (child !== '') children.push(...treeOf(Number(child)))
  }
  return [pid, ...children]
}

function cpuOf(pid: number): number {
  // The name in the second field may hold blanks; what counts stands behind its parenthesis.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMicroseconds
}

function residentOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes ?? 0) * 1024
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
