/**
 * Kills the processes of `examples/orders` while orders are placed, and looks whether every order was notified once, paid
 * or refused, and stock adds up.
 *
 * `npm run test:orders -- --seconds 60 --every 2 --store nats --seed 7`. For each store (embedded, nats, amqp) processes,
 * the broker, and everything at once are killed (`kill -9`) for so many seconds. Exits with 1 if a promise was broken.
 * `--verbose` shows what `lucilius up` prints.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    every: { type: 'string', default: '2' },
    rate: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    store: { type: 'string', multiple: true, default: ['embedded', 'nats', 'amqp'] },
    verbose: { type: 'boolean', default: false },
  },
})
const [seconds, every, perSecond, seed] = [values.seconds, values.every, values.rate, values.seed].map(Number)
if (!(seconds > 0 && every > 0 && perSecond > 0 && Number.isSafeInteger(seed))) {
  throw new Error('--seconds, --every and --rate are positive numbers, --seed is a whole one.')
}

const root = fileURLToPath(new URL('..', import.meta.url))
const { underKills } = await import(join(root, 'build/test/examples/orders/kills.js'))
const show = values.verbose ? console.log : () => {}

console.log(`seed ${seed}, ${seconds} s on each store, a kill every ${every} s, ${perSecond} orders a second`)
const complaints = []
for (const store of values.store) {
  const result = await underKills({ store, seconds, everyMs: every * 1000, perSecond, seed, show })
  const { orders, paid, refused, kills, failed, settledMs, broken } = result
  console.log(`\n${store}: ${orders} orders, ${paid} paid, ${refused} refused`)
  console.log(`  killed: ${list(kills)}`)
  console.log(`  asked again after: ${list(failed)}`)
  console.log(`  the last order came to its end after ${Math.round(settledMs)} ms`)
  complaints.push(...broken.map((words) => `${store}: ${words}`))
}
console.log(complaints.length === 0 ? '\nEvery promise was kept.' : `\n${complaints.join('\n')}`)
process.exitCode = complaints.length === 0 ? 0 : 1

function list(counts) {
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ') || 'nothing'
}
