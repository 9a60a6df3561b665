import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { misuse } from '../failure.ts'
import type { Session } from '../session.ts'

interface Listen {
  readonly host: string
  readonly port: number
}

interface ServeFlags {
  readonly config?: string
  readonly demo?: boolean
  readonly dataDir?: string
  readonly listen?: Listen
  readonly json?: boolean
}

const examples = `
Examples:
  $ countersign serve --config gateway.yaml
  $ countersign serve --demo --listen 127.0.0.1:8080
  $ COUNTERSIGN_MASTER_KEY=... countersign serve --config gateway.yaml --data-dir /var/lib/countersign

SIGTERM and SIGINT finish the requests in flight, refuse new ones and end with exit code 0.
`

/** Adds `countersign serve`: runs the gateway until it is told to stop. */
export function addServe(program: Command, session: Session): void {
  program
    .command('serve')
    .summary('run the gateway')
    .description('Runs the verifying reverse proxy and forward-auth endpoint.')
    .option('--config <path>', 'YAML file with listen addresses, upstreams and routes')
    .option('--demo', 'serve a built-in echo upstream with a demo key')
    .option(
      '--data-dir <path>',
      'where credentials and the key file are (default: that of the file, or ./data)',
    )
    .option('--listen <host:port>', 'address to listen on, before that of the file', readListen)
    .option('--json', 'print the address as JSON; the log is JSON lines on standard error in any case')
    .addHelpText('after', examples)
    .action(({ config, demo, dataDir, listen, json }: ServeFlags) =>
      session.report(async (world) => {
        if (config === undefined && demo !== true)
          throw misuse('nothing to serve: give --config <path>, or --demo')
        if (config !== undefined && demo === true) throw misuse('--config and --demo exclude each other')
        const { startGateway } = await import('@countersign/gateway')
        // Asked for before the start: a signal that comes while it starts must not be lost.
        const stopped = world.stopped()
        const gateway = await startGateway({
          ...(config === undefined ? {} : { configPath: config }),
          ...(demo === undefined ? {} : { demo }),
          ...(dataDir === undefined ? {} : { dataDir }),
          ...(listen === undefined ? {} : { listen }),
          env: world.env,
          print: json === true ? () => {} : world.print,
        })
        const { host, port } = gateway.address
        if (json === true) world.print(`${JSON.stringify({ host, port })}\n`)
        else if (demo !== true)
          world.print(`countersign listens on ${host.includes(':') ? `[${host}]` : host}:${port}\n`)
        await stopped
        await gateway.close()
        return { text: '', json: undefined }
      }),
    )
}

/** Reads `host:port`, `[::1]:port` or `port` alone, which is that of this machine only. */
function readListen(text: string): Listen {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):)?(0|[1-9][0-9]{0,4})$/.exec(text)
  const port = Number(match?.[2])
  if (!(port <= 65_535)) throw new InvalidArgumentError('Expected host:port, such as 127.0.0.1:8080.')
  return { host: (match?.[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port }
}
