import type { Command } from 'commander'
import { defaultDataDir, openCredentials } from '../../data-dir.ts'
import { instantText } from '../../duration.ts'
import { printable, table } from '../../output.ts'
import type { Session } from '../../session.ts'
import { keyJson, keyState } from './key-text.ts'

const examples = `
Examples:
  $ countersign keys list
  $ countersign keys list --data-dir /var/lib/countersign --json | jq -r '.keys[] | select(.state == "active") | .id'
`

/** Adds `countersign keys list`. */
export function addList(keys: Command, session: Session): void {
  keys
    .command('list')
    .summary('list all keys')
    .description('Lists all keys, without their secrets.')
    .option('--data-dir <path>', 'data directory of the gateway', defaultDataDir)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(({ dataDir }: { readonly dataDir: string }) =>
      session.report(async (world) => {
        const now = world.clock()
        const { credentials, close } = await openCredentials({ dataDir, mayCreate: false }, world)
        try {
          const records = await credentials.list()
          const rows = records.map((record) => [
            printable(record.id),
            keyState(record, now),
            record.kind,
            record.scheme ?? 'any',
            record.expiresAt === undefined ? 'never' : instantText(record.expiresAt),
            printable(record.owner ?? ''),
            printable(record.rights.join(',')),
          ])
          const heading = ['ID', 'STATE', 'KIND', 'SCHEME', 'EXPIRES', 'OWNER', 'RIGHTS']
          return {
            text: rows.length === 0 ? 'no keys\n' : table(heading, rows),
            json: { keys: records.map((record) => keyJson(record, now)) },
          }
        } finally {
          await close()
        }
      }),
    )
}
