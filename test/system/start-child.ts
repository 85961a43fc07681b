/** What `lucilius start <deployment> --group <name>` does, as a program for tests: deployment and group are its arguments. */
import { LuciliusError } from '../../lib/errors.js'
import { start } from '../../lib/system/start.js'

const [deployment = '', group = ''] = process.argv.slice(2)
const say = (line: string) => void process.stderr.write(`lucilius: ${line}\n`)
try {
  process.exitCode = await start({ cwd: process.cwd(), deployment, group, variables: process.env, say })
} catch (error) {
  if (!(error instanceof LuciliusError)) throw error
  say(`${error.message} (${error.code})`)
  process.exitCode = 2
}
process.exit()
