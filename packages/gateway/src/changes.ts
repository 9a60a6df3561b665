import type { CredentialDatabase } from './database.ts'
import type { GatewayLog } from './log.ts'

/** Watches a database that other processes change too. */
export interface ChangeWatch {
  /** Whether credentials can be read. */
  readonly isReadable: boolean
  stop(): void
}

// How often changes are looked for, in milliseconds; one look costs 25 us.
const lookEveryMs = 250

// No credential has it: an id begins with something visible.
const probeId = ' '

/** Calls `onChange` when another process has changed the database, and while it cannot be read: nothing read before counts then. */
export function watchChanges(
  database: Pick<CredentialDatabase, 'version' | 'credentials' | 'path'>,
  onChange: () => void,
  log: GatewayLog,
): ChangeWatch {
  let version = database.version()
  let isReadable = true
  let isLooking = false
  const look = async (): Promise<void> => {
    const now = database.version()
    if (now === version && isReadable) return
    onChange()
    version = now
    await database.credentials.show(probeId)
    if (!isReadable) log.info({ database: database.path }, 'the credential database can be read again')
    isReadable = true
  }
  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    look()
      .catch(() => {
        onChange()
        if (isReadable) log.error({ database: database.path }, 'the credential database cannot be read')
        isReadable = false
      })
      .finally(() => {
        isLooking = false
      })
  }, lookEveryMs)
  return {
    get isReadable() {
      return isReadable
    },
    stop: () => clearInterval(timer),
  }
}
