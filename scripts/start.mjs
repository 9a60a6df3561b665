// Installs and builds what is missing, then starts the gateway with its demo credential and echo upstream.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, install, root } from './prepare.mjs'

install()
const status = build()
if (status !== 0) process.exit(status)
if (process.env.npm_lifecycle_event !== undefined && process.platform !== 'win32') endWithShell()

// The command runs in this process, so that signals and the exit code are its own and not passed on.
const main = join(root, 'packages/cli/dist/main.js')
process.chdir(root)
process.argv = [process.execPath, main, 'serve', '--demo', ...process.argv.slice(2)]
await import(pathToFileURL(main).href)

/**
 * Ends this process, gracefully, when the shell that npm put in between is gone. npm passes SIGTERM to that shell,
 * which dies of it and tells nobody; without this, `kill` of `npm start` would leave the gateway running.
 */
function endWithShell() {
  const shell = process.ppid
  let isTold = false
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])) {
    process.on(signal, () => {
      isTold = true
      // Before the gateway listens for signals there is nothing to finish.
      if (process.listenerCount(signal) === 1) process.exit(code)
    })
  }
  const watch = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(watch)
    if (!isTold) process.kill(process.pid, 'SIGTERM')
  }, 250)
  watch.unref()
}
