/**
 * Crash drill for the SQLite store: several writers on one file, each killed with SIGKILL at a random moment, again and again.
 * What was acknowledged has to be there afterwards, whole; what was not may be there, whole, or not at all.
 * Run: `npx tsx scripts/drill-sqlite.ts [kills, default 1000]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sealer } from '../packages/countersign/src/keys/seal.ts'
import { Secret, secretBytes } from '../packages/countersign/src/keys/secret.ts'
import {
  type CredentialRecord,
  sqlCredentials,
  sqlNonces,
} from '../packages/countersign/src/stores/sql/sql.ts'
import { drillMaster, drillSecret } from './drill-sqlite-secrets.ts'
import { openSqlite, type SqliteFile, temporaryDirectory } from './sqlite-file.ts'

/** How to run a drill. */
export interface DrillOptions {
  /** Writers killed in all. */
  readonly kills: number
  /** Writers at work at once. Default 4. */
  readonly writers?: number
  /** Told how far it is. */
  readonly onRound?: (killed: number) => void
}

/** What came of a drill. It stands where `faults` is empty. */
export interface DrillReport {
  readonly kills: number
  /** Changes acknowledged before a kill, all of which were looked for. */
  readonly acknowledged: number
  readonly faults: readonly string[]
}

/** What a writer acknowledged of one credential. */
interface Acknowledged {
  created: boolean
  recorded: boolean
  version: number
  revoked: boolean
}

// A new file now and then keeps the checks of a long drill quick.
const roundsPerFile = 25
const longestMs = 250

/** Runs a drill. */
export async function drillSqlite({ kills, writers = 4, onRound }: DrillOptions): Promise<DrillReport> {
  const directory = temporaryDirectory()
  const faults: string[] = []
  let killed = 0
  let acknowledged = 0
  try {
    for (let round = 0; killed < kills; round++) {
      const path = join(directory.path, `drill-${Math.floor(round / roundsPerFile)}.db`)
      const count = Math.min(writers, kills - killed)
      const names = Array.from({ length: count }, (_, i) => `r${round}w${i}`)
      const lines = await Promise.all(names.map((name) => killedWriter(path, name)))
      const file = openSqlite(path)
      faults.push(...(await faultsOf(file, lines.flat())))
      file.connection.close()
      killed += count
      acknowledged += lines.flat().length
      onRound?.(killed)
    }
  } finally {
    directory.remove()
  }
  return { kills: killed, acknowledged, faults }
}

/** Runs one writer, kills it at a random moment after it is ready, and gives the whole lines it printed. */
async function killedWriter(path: string, name: string): Promise<readonly string[]> {
  const script = fileURLToPath(new URL('./drill-sqlite-writer.ts', import.meta.url))
  const writer = spawn(process.execPath, ['--import', 'tsx', script, path, name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { text: '', complaint: '' }
  writer.stdout.on('data', (chunk: Buffer) => {
    output.text += chunk.toString()
  })
  writer.stderr.on('data', (chunk: Buffer) => {
    output.complaint += chunk.toString()
  })
  await Promise.race([once(writer.stdout, 'data'), once(writer, 'close')])
  await wait(Math.random() * longestMs)
  await kill(writer)
  if (output.complaint !== '') throw new Error(`the writer failed by itself: ${output.complaint}`)
  // A line without its end was cut off by the kill. Behind `ready` come the acknowledgements.
  return output.text.split('\n').slice(1, -1)
}

async function kill(writer: ChildProcess): Promise<void> {
  if (writer.exitCode !== null) return
  writer.kill('SIGKILL')
  await once(writer, 'close')
}

async function faultsOf(file: SqliteFile, lines: readonly string[]): Promise<readonly string[]> {
  const faults: string[] = []
  const integrity = JSON.stringify(file.connection.pragma('integrity_check'))
  if (integrity !== '[{"integrity_check":"ok"}]') faults.push(`integrity_check: ${integrity}`)
  const store = sqlCredentials({ db: file.db, sealer: sealer(drillMaster) })
  const nonces = sqlNonces({ db: file.db })
  for (const record of await store.list()) {
    if (!record.intact) faults.push(`${record.id} is torn`)
  }
  for (const [id, wanted] of acknowledgedIn(lines)) {
    const record = await store.show(id)
    if (wanted.created && record === undefined) faults.push(`${id} was created and is gone`)
    if (wanted.recorded && (await nonces.record(id, Math.floor(Date.now() / 1000) + 600)) !== 'seen') {
      faults.push(`the nonce ${id} was recorded and is gone`)
    }
    if (record === undefined) continue
    if (wanted.version > (record.versions.at(-1)?.version ?? 0)) faults.push(`${id} was rotated and is not`)
    if (wanted.revoked && record.active) faults.push(`${id} was revoked and is active`)
    faults.push(...(await secretFaults(record, await store.find(id, 'rfc9421'))))
  }
  return faults
}

async function secretFaults(
  record: CredentialRecord,
  found: Awaited<ReturnType<ReturnType<typeof sqlCredentials>['find']>>,
): Promise<readonly string[]> {
  const wrong = (found?.secrets ?? []).filter(({ secret, version = 0 }) => {
    const bytes = secret instanceof Secret ? secretBytes(secret) : new Uint8Array()
    return Buffer.compare(bytes, drillSecret(record.id, version)) !== 0
  })
  return wrong.map(({ version }) => `${record.id}: version ${version} has another secret`)
}

function acknowledgedIn(lines: readonly string[]): ReadonlyMap<string, Acknowledged> {
  const all = new Map<string, Acknowledged>()
  for (const line of lines) {
    const [what, id = '', version = '1'] = line.split(' ')
    const one = all.get(id) ?? { created: false, recorded: false, version: 1, revoked: false }
    if (what === 'created') one.created = true
    else if (what === 'recorded') one.recorded = true
    else if (what === 'rotated') one.version = Number(version)
    else if (what === 'revoked') one.revoked = true
    else throw new Error(`the writer printed ${JSON.stringify(line)}`)
    all.set(id, one)
  }
  return all
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kills = Number(process.argv[2] ?? '1000')
  const report = await drillSqlite({
    kills,
    onRound: (killed) => process.stdout.write(`\r${killed} of ${kills} killed`),
  })
  console.log(`\n${report.acknowledged} changes acknowledged, ${report.faults.length} faults`)
  for (const fault of report.faults) console.log(fault)
  process.exitCode = report.faults.length === 0 ? 0 : 1
}
