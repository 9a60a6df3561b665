import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { benchMethod, signRequest } from '../requests.ts'

/** A file of signed requests, each as many bytes long as the others, ready to be written to a socket. */
export interface PreSigned {
  readonly path: string
  readonly count: number
  readonly recordBytes: number
}

/** The credential that every contestant knows. */
export interface BenchCredential {
  readonly id: string
  readonly secret: Buffer
}

/** Signs distinct requests of 1 KiB of JSON at the present time, each with a nonce of its own, and writes them to a file. */
export function writePreSigned(path: string, count: number, credential: BenchCredential): PreSigned {
  const createdAt = Math.floor(Date.now() / 1000)
  const file = openSync(path, 'w', 0o600)
  let recordBytes = 0
  try {
    for (let i = 0; i < count; i++) {
      const record = requestBytes(i, createdAt, credential)
      if (i === 0) recordBytes = record.length
      // The player reads records of one length.
      if (record.length !== recordBytes) throw new Error('the requests differ in length')
      writeSync(file, record)
    }
  } finally {
    closeSync(file)
  }
  return { path, count, recordBytes }
}

function requestBytes(i: number, createdAt: number, credential: BenchCredential): Buffer {
  const body = jsonBody(i)
  const target = `/v1/invoices/${1_000_000 + i}/lines?sort=asc`
  const { rawHeaders } = signRequest(
    {
      target,
      requestId: randomBytes(8).toString('hex'),
      body,
      digest: createHash('sha256').update(body).digest(),
      createdAt,
    },
    credential,
  )
  let head = `${benchMethod} ${target} HTTP/1.1\r\n`
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body])
}

/** 1024 bytes of JSON that are not the same twice. */
function jsonBody(i: number): Buffer {
  const start = `{"invoice":${1_000_000 + i},"note":"`
  const end = '"}'
  return Buffer.from(
    start +
      randomBytes(512)
        .toString('hex')
        .slice(0, 1024 - start.length - end.length) +
      end,
  )
}
