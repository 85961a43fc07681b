/**
 * Kills the processes of a system that `lucilius up` runs, and replaces them, under 200 calls a second.
 *
 * `npm run chaos -- --seconds 60 --every 5 --seed 7 --transport http --only lucilius`. One process, not the caller, is
 * killed every 5 seconds for 60 s, then each is told to end (SIGTERM), then all are replaced (SIGHUP), then all ends. Prints what became
 * of the calls; exits with 1 if an idempotent one failed, another one was done twice, any hung, was lost or got a wrong
 * reply, or any failed while processes were replaced. Moleculer and cote are put through the same if they are installed
 * in `bench/`; whatever becomes of their calls, it is only shown. `--verbose` shows what `up` prints.
 */
import { existsSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printTallies } from './tally-table.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    every: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    transport: { type: 'string', multiple: true, default: ['websocket', 'http'] },
    only: { type: 'string', multiple: true, default: ['lucilius', 'moleculer', 'cote'] },
    build: { type: 'string', default: 'build' },
    verbose: { type: 'boolean', default: false },
  },
})
const [seconds, every, seed] = [Number(values.seconds), Number(values.every), Number(values.seed)]
if (!(seconds > 0 && every > 0 && Number.isSafeInteger(seed))) {
  throw new Error('--seconds and --every are positive numbers, --seed is a whole one.')
}

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = (file) => import(join(root, values.build, 'test/chaos', file))
const { brokenIn, underChaos } = await compiled('chaos.js')
const { deployments, startUp } = await compiled('up.js')
const { frameworks, startPlain } = await compiled('plain.js')

const wanted = (name) => values.only.includes(name)
const show = values.verbose ? console.log : () => {}
const subjects = [
  ...values.transport.map((transport) => ({
    framework: 'lucilius',
    name: `lucilius over ${transport}`,
    start: (conditions) => startUp(deployments[transport], conditions, show),
  })),
  ...frameworks.map((name) => ({ framework: name, name, start: (conditions) => startPlain(name, conditions) })),
].filter(({ framework }) => wanted(framework))

const [cpu] = cpus()
console.log(
  `seed ${seed}, ${seconds} s, a kill every ${every} s; Node.js ${process.version}, ${cpus().length} × ${cpu?.model}`,
)
const complaints = []
for (const { framework, name, start } of subjects) {
  if (framework !== 'lucilius' && !existsSync(join(root, 'bench/node_modules', framework))) {
    console.log(`\n${name}: not installed; npm ci --prefix bench`)
    continue
  }
  console.log(`\n${name} (load average ${loadavg()[0].toFixed(1)} before)`)
  const phases = await underChaos(start, { seconds, everyMs: every * 1000, seed }).catch((error) => {
    if (framework === 'lucilius') throw error
    console.log(`  ended early: ${error.message}`)
    return []
  })
  for (const phase of phases) print(phase)
  if (framework === 'lucilius') complaints.push(...phases.flatMap(brokenIn).map((words) => `${name}: ${words}`))
}
if (wanted('lucilius'))
  console.log(complaints.length === 0 ? '\nEvery promise was kept.' : `\n${complaints.join('\n')}`)
process.exitCode = complaints.length === 0 ? 0 : 1

function print({ name, tallies, hits, slowestMs }) {
  const times = hits.map(({ recoveredMs }) => recoveredMs).sort((a, b) => a - b)
  const middle = times[Math.floor(times.length / 2)]
  console.log(`\n${name}: ${hits.map(({ id }) => id).join(', ')}`)
  printTallies(tallies)
  console.log(`  another process was ready after ${ms(middle)} (median), ${ms(times.at(-1))} (longest)`)
  console.log(`  the slowest call that was answered took ${ms(slowestMs)}`)
}

function ms(time) {
  return `${Math.round(time)} ms`
}
