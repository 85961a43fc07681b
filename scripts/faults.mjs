/**
 * Looks for broken promises for longer than `npm test` does: faults of processes and networks, then random placements.
 *
 * `npm run test:faults -- --seconds 300 --seed 7 --transport http`. Seconds are for each transport. Prints what became
 * of the calls; exits with 1 if one was lost, hung, got a wrong reply, was said not to be handled though it was, or,
 * not being idempotent, was done twice.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printTallies } from './tally-table.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { broken, underFaults } = await import(join(root, 'build/test/faults/faults.js'))

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    transport: { type: 'string', multiple: true, default: ['http', 'websocket'] },
  },
})
const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
if (!(seconds > 0 && Number.isSafeInteger(seed))) throw new Error('--seconds is a positive number, --seed a whole one.')

console.log(`seed ${seed}, ${seconds} s for each transport`)
const complaints = []
for (const transport of values.transport) {
  const tallies = await underFaults({ transport, seconds, seed })
  console.log(`\n${transport}`)
  printTallies(tallies)
  complaints.push(...tallies.flatMap(broken).map((words) => `${transport}: ${words}`))
}
if (!(await placementsHold())) complaints.push('a system behaves otherwise when it is placed over several apps')

console.log(complaints.length === 0 ? '\nEvery promise was kept.' : `\n${complaints.join('\n')}`)
process.exitCode = complaints.length === 0 ? 0 : 1

/** Whether random systems do the same in one app and in several, looked for as long as the faults. */
async function placementsHold() {
  console.log('\nplacements')
  const child = spawn(process.execPath, [join(root, 'build/test/conformance/placement.test.js')], {
    env: { ...process.env, PLACEMENT_SECONDS: String(seconds) },
    stdio: 'inherit',
  })
  return (await new Promise((done) => child.on('close', done))) === 0
}
