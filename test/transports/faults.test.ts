import t from 'tap'
import { broken, underFaults } from '../faults/faults.js'

t.setTimeout(120_000)
t.jobs = 2

// One round of everything; `npm run test:faults` goes on for longer.
for (const transport of ['http', 'websocket'] as const) {
  const promise = 'no call is lost, hangs, gets a wrong reply or, not being idempotent, is done twice'
  t.test(`processes are killed and stopped, networks cut and slow: over ${transport} ${promise}`, async (t) => {
    const seed = Math.floor(Math.random() * 1_000_000)
    const tallies = await underFaults({ transport, seconds: 1, seed })
    t.strictSame(tallies.flatMap(broken), [], `seed ${seed}`)
    for (const { kind, calls, ok } of tallies) t.ok(ok > 100, `${kind}: ${ok} of ${calls}`)
  })
}
