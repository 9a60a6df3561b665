import type { Command } from 'commander'
import { defaultDataDir, openCredentials } from '../../data-dir.ts'
import type { Session } from '../../session.ts'
import { keyJson, keyText } from './key-text.ts'
import { unknownKey } from './unknown-key.ts'

const examples = `
Examples:
  $ countersign keys show billing
  $ countersign keys show billing --json
`

/** Adds `countersign keys show`. */
export function addShow(keys: Command, session: Session): void {
  keys
    .command('show')
    .summary('show one key')
    .description('Shows one key and the versions of its secret, without the secret.')
    .argument('<id>', 'key id')
    .option('--data-dir <path>', 'data directory of the gateway', defaultDataDir)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((id: string, { dataDir }: { readonly dataDir: string }) =>
      session.report(async (world) => {
        const { credentials, close } = await openCredentials({ dataDir, mayCreate: false }, world)
        try {
          const record = await credentials.show(id)
          if (record === undefined) throw unknownKey(id)
          const now = world.clock()
          return { text: keyText(record, now), json: keyJson(record, now) }
        } finally {
          await close()
        }
      }),
    )
}
