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

process.argv = [...process.argv.slice(0, 2), command, '--config', join(root, 'examples/currency'), ...given]
await import(join(root, 'build/lib/cli/main.js'))
