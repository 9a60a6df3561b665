import { open, stat } from 'node:fs/promises'
import { type Failure, misuse, systemCode } from './failure.ts'
import type { World } from './world.ts'

/** Longest request or body taken, in bytes. With the copies made on the way it stays under 64 MiB. */
export const limitBytes = 16_777_216

/** What is to be read, and how much of it at most. */
export interface InputPlace {
  /** Path of a file, or `-` for standard input. */
  readonly path: string
  /** What it is to the person, for messages: `the body`. */
  readonly what: string
  readonly limitBytes: number
}

/**
 * Reads a file or standard input whole, bounded in size and time.
 * @throws Failure where it cannot be read, is no plain file (a pipe or device may never end), or is over the limit.
 */
export async function readInput(world: World, place: InputPlace): Promise<Uint8Array> {
  return place.path === '-' ? readStandardInput(world, place) : readFile(place)
}

/** Leaves out one line break at the end, which editors and `echo` put there. */
export function withoutLineBreak(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== 10) return bytes
  return bytes.subarray(0, bytes.at(-2) === 13 ? -2 : -1)
}

async function readFile({ path, what, limitBytes }: InputPlace): Promise<Uint8Array> {
  try {
    // Asked before it is opened: to open a pipe that has no writer waits for ever.
    if (!(await stat(path)).isFile())
      throw misuse(`${what}: ${path} is no plain file; pipe it in and say - instead`)
    const file = await open(path, 'r')
    try {
      const chunks: Uint8Array[] = []
      let length = 0
      for (;;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(65_536), 0, 65_536)
        if (bytesRead === 0) return Buffer.concat(chunks)
        length += bytesRead
        if (length > limitBytes) throw tooLong(what, limitBytes)
        chunks.push(buffer.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    throw misuse(`${what}: cannot read ${path} (${code})`, cause)
  }
}

async function readStandardInput(world: World, { what, limitBytes }: InputPlace): Promise<Uint8Array> {
  if (world.input.isTTY === true) throw misuse(`${what}: nothing is piped into standard input`)
  const chunks: Uint8Array[] = []
  let length = 0
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(misuse(`${what}: standard input did not end within ${world.inputTimeoutMs / 1000} seconds`)),
      world.inputTimeoutMs,
    )
  })
  const read = async (): Promise<Uint8Array> => {
    for await (const chunk of world.input) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      length += bytes.length
      if (length > limitBytes) throw tooLong(what, limitBytes)
      chunks.push(bytes)
    }
    return Buffer.concat(chunks)
  }
  try {
    return await Promise.race([read(), late])
  } finally {
    clearTimeout(timer)
    // A writer that is still there must not keep this process alive.
    world.input.destroy?.()
  }
}

function tooLong(what: string, limitBytes: number): Failure {
  return misuse(`${what}: more than ${limitBytes} bytes`)
}
