/**
 * Kills what keeps and what handles durable events, for longer than `npm test` does, and counts.
 *
 * `npm run test:durable -- --seconds 60 --events 10000 --seed 7 --store nats`. The broker is killed 10 times over NATS and
 * 3 times over RabbitMQ, consumers at random for so many seconds, and the process of the embedded store 10 times. Exits
 * with 1 if an event was stored and lost, or if there are other dead letters than were planted.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { brokerKilled, consumersKilled, processKilled } = await import(join(root, 'build/test/durable-faults/faults.js'))
const { broken } = await import(join(root, 'build/test/durable-faults/ledger.js'))
const { chance } = await import(join(root, 'build/test/faults/chance.js'))

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    events: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    store: { type: 'string', multiple: true, default: ['embedded', 'nats', 'amqp'] },
  },
})
const [seconds, events, seed] = [Number(values.seconds), Number(values.events), Number(values.seed)]
if (!(seconds > 0 && events > 0 && Number.isSafeInteger(seed))) {
  throw new Error('--seconds and --events are positive numbers, --seed a whole one.')
}
console.log(`seed ${seed}`)
const runs = {
  embedded: [() => processKilled(events, 10, chance(seed))],
  nats: [() => brokerKilled('nats', events, 10), () => consumersKilled('nats', seconds, chance(seed))],
  amqp: [() => brokerKilled('amqp', events, 3), () => consumersKilled('amqp', seconds, chance(seed))],
}
const outcomes = []
for (const store of values.store) {
  for (const run of runs[store]) {
    const outcome = await run()
    console.log(JSON.stringify(outcome))
    outcomes.push(outcome)
  }
}
console.table(Object.fromEntries(outcomes.map(({ what, ...counts }) => [what, counts])))
const complaints = outcomes.flatMap(broken)
console.log(complaints.length === 0 ? 'Every promise was kept.' : complaints.join('\n'))
process.exitCode = complaints.length === 0 ? 0 : 1
