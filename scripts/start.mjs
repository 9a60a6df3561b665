// Installs and builds what is missing, then starts the gateway with its demo credential and echo upstream.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, install, root } from './prepare.mjs'

install()
const status = build()
if (status !== 0) process.exit(status)

// The command runs in this process, so that signals and the exit code are its own and not passed on.
const main = join(root, 'packages/cli/dist/main.js')
process.chdir(root)
process.argv = [process.execPath, main, 'serve', '--demo', ...process.argv.slice(2)]
await import(pathToFileURL(main).href)
