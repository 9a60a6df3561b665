import type { Command } from 'commander'
import { defaultDataDir, openCredentials } from '../../data-dir.ts'
import { printable } from '../../output.ts'
import type { Session } from '../../session.ts'
import { unknownKey } from './unknown-key.ts'

const examples = `
Examples:
  $ countersign keys revoke billing

A running gateway refuses the key within a second. There is no way back: make another key.
`

/** Adds `countersign keys revoke`. */
export function addRevoke(keys: Command, session: Session): void {
  keys
    .command('revoke')
    .summary('switch a key off for good')
    .description('Switches a key off for good.')
    .argument('<id>', 'key id')
    .option('--data-dir <path>', 'data directory of the gateway', defaultDataDir)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((id: string, { dataDir }: { readonly dataDir: string }) =>
      session.report(async (world) => {
        const { credentials, close } = await openCredentials({ dataDir, mayCreate: false }, world)
        try {
          if (!(await credentials.revoke(id))) throw unknownKey(id)
          return { text: `revoked ${printable(id)}\n`, json: { id, state: 'revoked' } }
        } finally {
          await close()
        }
      }),
    )
}
