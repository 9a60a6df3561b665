import type { Command } from 'commander'
import { defaultDataDir, openCredentials } from '../../data-dir.ts'
import { instantText, readDuration } from '../../duration.ts'
import type { Session } from '../../session.ts'
import { keyJson, keyText } from './key-text.ts'
import { newSecret, secretAdvice } from './new-secret.ts'
import { unknownKey } from './unknown-key.ts'

interface RotateFlags {
  readonly dataDir: string
  readonly overlap: number
}

const daySeconds = 86_400

const examples = `
Examples:
  $ countersign keys rotate billing                  the old secret stays valid for 24 hours
  $ countersign keys rotate billing --overlap 7d
  $ countersign keys rotate billing --overlap 0s     after a leak: the old secret ends at once

A running gateway takes the new secret within a second. Both secrets are valid until the overlap ends.
`

/** Adds `countersign keys rotate`. */
export function addRotate(keys: Command, session: Session): void {
  keys
    .command('rotate')
    .summary('give a key a new secret, shown once')
    .description('Gives a key a new secret, shown once. The old one stays valid for the overlap.')
    .argument('<id>', 'key id')
    .option(
      '--overlap <duration>',
      'how long the old secret stays valid (default: 24h)',
      readDuration,
      daySeconds,
    )
    .option('--data-dir <path>', 'data directory of the gateway', defaultDataDir)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((id: string, { dataDir, overlap }: RotateFlags) =>
      session.report(async (world) => {
        const { credentials, close } = await openCredentials({ dataDir, mayCreate: false }, world)
        try {
          if ((await credentials.show(id)) === undefined) throw unknownKey(id)
          const secret = newSecret(world)
          const record = await credentials.rotate(id, { secret: secret.bytes, overlapSeconds: overlap })
          const now = world.clock()
          const end = overlap === 0 ? 'no longer valid' : `valid until ${instantText(now + overlap)}`
          return {
            text: `rotated; the old secret is ${end}\n${keyText(record, now)}\n${secret.text}\n\n${secretAdvice}`,
            json: { ...keyJson(record, now), secret: secret.text },
          }
        } finally {
          await close()
        }
      }),
    )
}
