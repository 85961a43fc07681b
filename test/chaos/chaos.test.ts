import t from 'tap'
import { brokenIn, underChaos } from './chaos.js'
import { deployments, startUp } from './up.js'

t.setTimeout(120_000)

// Each process once; `npm run chaos` goes on for a minute, over HTTP as well, and beside others.
t.test(
  'under 200 calls a second, processes of `up` are killed, told to end and replaced: no idempotent call fails, no other is done twice, none hangs, and none fails that need not',
  async (t) => {
    const seed = Math.floor(Math.random() * 1_000_000)
    const start = (conditions: Parameters<typeof startUp>[1]) => startUp(deployments.websocket, conditions)
    // On a busy machine a hundred calls may wait for one who was killed, in another one who is killed next.
    const phases = await underChaos(start, { seconds: 3, everyMs: 1000, seed, retries: 1000 })
    t.strictSame(phases.flatMap(brokenIn), [], `seed ${seed}`)
    const ids = phases.map(({ hits }) => hits.map(({ id }) => id).sort())
    t.strictSame(ids, [
      ['convert.1', 'convert.2', 'rates'],
      ['ask', 'convert.1', 'convert.2', 'rates'],
    ])
    for (const { name, tallies } of phases) {
      for (const { kind, calls } of tallies) t.ok(calls > 200, `${name}, ${kind}: ${calls} calls`)
    }
  },
)
