import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli, root, run, startService } from './processes.ts'

/** A gateway that runs as its users run it: a process of its own, on a configuration of `examples/`. */
export interface ExampleGateway {
  readonly port: number
  /** For files of the test; goes with the gateway. */
  readonly folder: string
  /** Makes a key as `countersign keys create` does and gives its secret. */
  createKey(id: string, rights: readonly string[]): Promise<string>
  stop(): Promise<void>
}

/** Starts a gateway on a configuration of `examples/`, with its service at another origin and on a free port. */
export function startGateway(
  configuration: string,
  serviceOrigin: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ExampleGateway> {
  const text = readFileSync(join(root, 'examples', configuration), 'utf8')
  return startGatewayOn(text.replace('http://127.0.0.1:9000', serviceOrigin), env)
}

/** Starts a gateway on the text of a configuration, on a free port. */
export async function startGatewayOn(
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ExampleGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-example-'))
  const dataDir = join(folder, 'data')
  const config = join(folder, 'gateway.yaml')
  writeFileSync(config, text)
  const gateway = await startService(
    [cli, 'serve', '--config', config, '--listen', '127.0.0.1:0', '--json'],
    env,
    /\n/,
  )
  const address: { readonly port: number } = JSON.parse(gateway.out())
  return {
    port: address.port,
    folder,
    async createKey(id, rights) {
      const flags = rights.flatMap((right) => ['--right', right])
      const args = [cli, 'keys', 'create', id, ...flags, '--data-dir', dataDir, '--json']
      const { out, err } = await run(process.execPath, args)
      if (err !== '') throw new Error(err)
      const made: { readonly secret: string } = JSON.parse(out)
      return made.secret
    },
    async stop() {
      await gateway.stop()
      rmSync(folder, { recursive: true })
    },
  }
}
