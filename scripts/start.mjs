/**
 * Runs the currency system: `npm start` is `lucilius dev` on it, `npm start -- '<message>'` is `lucilius act`, and
 * `npm run example:split` is `lucilius up split`.
 *
 * In this process, so that a signal arrives once. Options are those of the command: `npm start -- --port 8080`.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const isSplit = process.argv[2] === 'up' && process.argv[3] === 'split'
const given = process.argv.slice(isSplit ? 3 : 2)
const command = isSplit ? 'up' : given.some((word) => word.includes(':')) ? 'act' : 'dev'

const [first] = given
if (command === 'dev' && first !== undefined && !first.startsWith('-')) {
  const takes =
    "a message, such as 'role:convert,cmd:amount,from:usd,to:eur,amount:100', or options, such as --port 8080"
  const others = 'node build/lib/cli/main.js help'
  process.stderr.write(`npm start does not know '${first}'. It takes ${takes}. Other commands: ${others}\n`)
  process.exit(2)
}

// A SIGTERM to npm ends the shell between npm and this process, which is told nothing: it sees that its parent has changed.
if (process.env.npm_lifecycle_event !== undefined) {
  const shell = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250).unref()
}

process.argv = [...process.argv.slice(0, 2), command, '--config', join(root, 'examples/currency'), ...given]
await import(join(root, 'build/lib/cli/main.js'))
