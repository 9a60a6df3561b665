import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from 'countersign'

/** Environment variable with the key that seals secrets: 32 bytes in hex or base64. */
export const masterKeyVariable = 'COUNTERSIGN_MASTER_KEY'

/** Name of the key file in the data directory, used where the variable is not set. */
export const masterKeyFile = 'master.key'

/** Where to look for the master key, and whether a new one may be made. */
export interface MasterKeyPlace {
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** False where there are sealed secrets already: a new key could not open them. */
  readonly mayCreate: boolean
}

/**
 * Gives the master key, 32 bytes: from the environment, from the key file, or made now into a key file of mode 0600.
 * @throws CountersignError `key-invalid` where it is malformed, readable by others, or gone while secrets depend on it.
 */
export function masterKey({ dataDir, env, mayCreate }: MasterKeyPlace): Uint8Array {
  const given = env[masterKeyVariable]
  if (given !== undefined && given !== '') return keyFrom(given.trim(), masterKeyVariable)
  const path = join(dataDir, masterKeyFile)
  return readKeyFile(path) ?? makeKeyFile(path, mayCreate)
}

function readKeyFile(path: string): Uint8Array | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (!stat.isFile()) throw new CountersignError('key-invalid', `${path}: expected a plain file`)
  const mode = stat.mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new CountersignError(
      'key-invalid',
      `${path}: others may read the master key (mode ${mode.toString(8)}). If nobody did, run: chmod 600 ${path}`,
    )
  }
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch (cause) {
    throw new CountersignError('key-invalid', `${path}: the master key cannot be read`, { cause })
  }
  return keyFrom(text.trim(), path)
}

function makeKeyFile(path: string, mayCreate: boolean): Uint8Array {
  if (!mayCreate) {
    throw new CountersignError(
      'key-invalid',
      `${path}: the master key is gone, and the secrets in the database are sealed under it. Put it back, or set ${masterKeyVariable}`,
    )
  }
  const key = randomBytes(32)
  // Written whole under another name and then linked: of two processes that start at once one wins, and none reads half a key.
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = openSync(draft, 'wx', 0o600)
    try {
      writeSync(file, `${key.toString('base64')}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    try {
      linkSync(draft, path)
    } finally {
      unlinkSync(draft)
    }
  } catch (cause) {
    const winner = readKeyFile(path)
    if (winner !== undefined) return winner
    throw new CountersignError('key-invalid', `${path}: the master key cannot be written`, { cause })
  }
  return key
}

function keyFrom(text: string, place: string): Uint8Array {
  const bytes = /^[0-9a-fA-F]{64}$/.test(text)
    ? Buffer.from(text, 'hex')
    : /^[A-Za-z0-9+/]{43}=$/.test(text)
      ? Buffer.from(text, 'base64')
      : undefined
  if (bytes === undefined) {
    throw new CountersignError(
      'key-invalid',
      `${place}: expected 32 bytes as 64 hex digits or as base64 (the value is not shown here)`,
    )
  }
  return new Uint8Array(bytes)
}
