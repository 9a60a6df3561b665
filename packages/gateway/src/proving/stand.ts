import {
  type CredentialStore,
  memoryCredentials,
  memoryNonces,
  type NonceStore,
  type Verdict,
} from 'countersign'
import { checkConfig } from '../config/schema.ts'
import { type RunningGateway, runGateway } from '../gateway.ts'
import type { GatewayLog, LogFacts } from '../log.ts'
import { type Recorder, startRecorder } from './recorder.ts'
import { testCredential } from './signed.ts'

/** One line of the log. */
export interface LogLine extends LogFacts {
  readonly level: string
  readonly message: string
}

/** A gateway in front of a recorder, with everything it said. */
export interface Stand {
  readonly port: number
  readonly gateway: RunningGateway
  readonly recorder: Recorder
  readonly verdicts: readonly Verdict[]
  readonly lines: readonly LogLine[]
  /** The reason of the last verdict, `ok`, or the code of the last answer of the gateway's own. */
  outcome(): string
  close(): Promise<void>
}

/** What a stand is made from. */
export interface StandOptions {
  /** Merged over a configuration with one route for `/`. `upstream` is the recorder unless given. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly credentials?: CredentialStore
  readonly nonces?: NonceStore
  /** Default: the clock of the machine. */
  readonly clock?: () => number
  readonly recorder?: Recorder
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Starts a gateway on a free port in front of a recorder. */
export async function startStand(options: StandOptions = {}): Promise<Stand> {
  const recorder = options.recorder ?? (await startRecorder())
  const checked = checkConfig({
    listen: { host: '127.0.0.1', port: 0 },
    upstream: recorder.origin,
    routes: [{ path: '/' }],
    timeouts: { drainSeconds: 2 },
    ...options.config,
  })
  if (!('routes' in checked)) throw new Error(JSON.stringify(checked))
  const verdicts: Verdict[] = []
  const lines: LogLine[] = []
  let outcome = ''
  const gateway = await runGateway({
    config: checked,
    credentials: options.credentials ?? memoryCredentials([testCredential]),
    nonces: options.nonces ?? memoryNonces(),
    log: memoryLog(lines, (code) => {
      outcome = code
    }),
    env: options.env ?? {},
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    onVerdict: (verdict) => {
      verdicts.push(verdict)
      outcome = verdict.ok ? 'ok' : verdict.reason
    },
  })
  return {
    port: gateway.address.port,
    gateway,
    recorder,
    verdicts,
    lines,
    outcome: () => outcome,
    async close() {
      await gateway.close()
      await recorder.close()
    },
  }
}

function memoryLog(lines: LogLine[], onCode: (code: string) => void): GatewayLog {
  const write =
    (level: string) =>
    (facts: LogFacts, message: string): void => {
      lines.push({ ...facts, level, message })
      if (typeof facts.code === 'string') onCode(facts.code)
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
