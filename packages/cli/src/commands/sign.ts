import type { Command } from 'commander'
import { misuse } from '../failure.ts'
import { addRequestOptions, type RequestFlags, requestFrom } from '../request-options.ts'
import type { Session } from '../session.ts'
import { addSigningOptions, type SigningFlags, signerFrom } from '../signing-options.ts'

const examples = `
Examples:
  $ export COUNTERSIGN_SECRET=...
  $ countersign sign --key billing https://api.example.com/invoices
  $ countersign sign --key billing --data '{"a":1}' -H 'Content-Type: application/json' https://api.example.com/invoices
  $ countersign sign --key legacy --scheme ustudio-hmac --secret-file ./secret https://api.example.com/videos?page=2
  $ countersign sign --key ci --private-key-file ci.pem --cover @method --cover @target-uri https://api.example.com/jobs

Prints the fields to add to the request. Send it exactly as it was signed: same method, URL, fields and body.
The secret is never an argument: it comes from $COUNTERSIGN_SECRET, from --secret-file, or from standard input.
`

/** Adds `countersign sign`: prints the fields that sign a request. */
export function addSign(program: Command, session: Session): void {
  const command = program
    .command('sign')
    .summary('print the fields that sign a request')
    .description('Signs a request and prints the fields to add to it.')
    .argument('<url>', 'absolute URL; it is signed as it is spelled')
  addSigningOptions(addRequestOptions(command))
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((url: string, flags: SigningFlags & RequestFlags) =>
      session.report(async (world) => {
        if (flags.secretFile === '-' && flags.bodyFile === '-') {
          throw misuse('--secret-file and --body-file cannot both read standard input')
        }
        const signer = await signerFrom(flags, world)
        const message = await requestFrom(url, flags, world)
        const patch = await signer.sign(message)
        const { query } = patch
        const fields = patch.set.map(([name, value]) => `${name}: ${value}\n`).join('')
        return {
          text: `${fields}${query === undefined ? '' : `\nand at the end of the query: ${query}\n`}`,
          json: {
            scheme: signer.scheme,
            keyId: signer.keyId,
            method: message.method,
            url,
            fields: patch.set.map(([name, value]) => ({ name, value })),
            ...(query === undefined ? {} : { query }),
          },
        }
      }),
    )
}
