import type { Command } from 'commander'
import type { Session } from '../../session.ts'
import { addCreate } from './create.ts'
import { addList } from './list.ts'
import { addRevoke } from './revoke.ts'
import { addRotate } from './rotate.ts'
import { addShow } from './show.ts'

const examples = `
Examples:
  $ countersign keys create billing --right invoices:read
  $ countersign keys list
  $ countersign keys rotate billing --overlap 24h
  $ countersign keys revoke billing
`

/** Adds `countersign keys` and its commands: one line each. */
export function addKeys(program: Command, session: Session): void {
  const keys = program
    .command('keys')
    .summary('make, list, rotate and revoke keys')
    .description(
      'Makes, lists, shows, rotates and revokes keys of a gateway. A running gateway follows within a second.',
    )
    .enablePositionalOptions()
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
  addCreate(keys, session)
  addList(keys, session)
  addShow(keys, session)
  addRotate(keys, session)
  addRevoke(keys, session)
}
