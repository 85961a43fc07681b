/**
 * Runs the currency system: `npm start` is `lucilius dev` on it, `npm start -- '<message>'` is `lucilius act`.
 *
 * In this process, so that a signal arrives once. Options are those of the command: `npm start -- --port 8080`.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const given = process.argv.slice(2)
const command = given.some((word) => word.includes(':')) ? 'act' : 'dev'

const [first] = given
if (command === 'dev' && first !== undefined && !first.startsWith('-')) {
  const takes =
    "a message, such as 'role:convert,cmd:amount,from:usd,to:eur,amount:100', or options, such as --port 8080"
  const others = 'node build/lib/cli/main.js help'
  process.stderr.write(`npm start does not know '${first}'. It takes ${takes}. Other commands: ${others}\n`)
  process.exit(2)
}

process.argv = [...process.argv.slice(0, 2), command, '--config', join(root, 'examples/currency'), ...given]
await import(join(root, 'build/lib/cli/main.js'))
