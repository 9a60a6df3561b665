import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { SqlCredentials } from 'countersign/stores/sql'
import { misuse } from './failure.ts'
import type { World } from './world.ts'

/** Credentials of a data directory, open. */
export interface OpenCredentials {
  readonly credentials: SqlCredentials
  readonly close: () => Promise<void>
}

/** Where `serve` and `keys` keep their files unless told otherwise. */
export const defaultDataDir = './data'

/**
 * Opens the credentials of a data directory. `mayCreate`: makes what is missing, where otherwise a mistyped path is refused.
 * @throws Failure or CountersignError that names the file and what is wrong with it
 */
export async function openCredentials(
  { dataDir, mayCreate }: { readonly dataDir: string; readonly mayCreate: boolean },
  { env, clock }: World,
): Promise<OpenCredentials> {
  // Loaded here and not above: signing and verifying should not wait for a database driver to load.
  const { databaseFile, openCredentialDatabase } = await import('@countersign/gateway')
  if (!mayCreate && !existsSync(join(dataDir, databaseFile))) {
    throw misuse(
      `${dataDir}: there are no credentials; give --data-dir, or make some with countersign keys create`,
    )
  }
  const { credentials, close } = await openCredentialDatabase({ dataDir, env, clock })
  return { credentials, close }
}
