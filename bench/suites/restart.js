// kill -9 the only server with 64 requests in flight, start it again 1 s later; counts, not speed.

import { setTimeout as sleep } from 'node:timers/promises'

export const title = 'F. Server killed with 64 requests in flight, started again after 1 s'
export const floor = undefined
export const defaults = { rounds: 1, ms: 5000 } // ms: how long requests go on after the restart
export const contenders = [
  ...['lucilius#websocket', 'lucilius#http'],
  ...['fastify#p1', 'grpc', 'nats', 'nest', 'moleculer#tcp', 'moleculer#nats', 'seneca#web', 'seneca#tcp', 'cote'],
]
const SETTLE_MS = 6000 // then what has not settled counts as hung

export async function run({ contenders, rounds, ms, stage, log }) {
  const raw = []
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contenders.length; i += 3) {
      const pairs = await stage.pairs(contenders.slice(i, i + 3))
      raw.push(...(await Promise.all(pairs.map((pair) => watch(pair, stage, ms)))))
      log(`${raw.length}/${contenders.length * rounds}`)
    }
  }
  const head = [
    'contender',
    'in flight at the kill',
    'sent while down',
    'sent after the restart',
    'up again ms',
    'first ok ms',
    'commonest error',
  ]
  const ours = raw.filter(({ contender }) => contender.startsWith('lucilius'))
  return {
    raw,
    tables: [{ caption: 'ok / failed / hung; ms since the kill', head, rows: raw.map(row) }],
    goals: ours.map(goal),
  }
}

async function watch({ contender, client, server }, stage, ms) {
  await client.ask({ do: 'outage', inFlight: 64, delay: 100, every: 25, settleMs: SETTLE_MS })
  await sleep(1500)
  const killAt = Date.now()
  const gone = server.kill()
  await client.ask({ do: 'kill' })
  await gone
  await sleep(1000)
  const restartAt = Date.now()
  const again = await stage.start(server.spec)
  if (!again) {
    await client.kill()
    return { contender, crashed: 'the server did not get ready again' }
  }
  const serverUpMs = Date.now() - killAt
  await sleep(ms)
  const seen = await client.ask({ do: 'finish', killAt, restartAt }).catch((error) => ({ crashed: error.message }))
  await Promise.all([client.stop(), again.stop()])
  return { contender, serverUpMs, ...seen }
}

const hung = ({ inFlight, down, after }) => inFlight.hung + down.hung + after.hung

function row({ contender, crashed, serverUpMs, firstOkMs, uncaught, ...groups }) {
  if (crashed) return [contender, crashed.slice(0, 120), '', '', '', '', '']
  const { inFlight, down, after } = groups
  const errors = [inFlight, down, after].flatMap((group) => Object.entries(group.errors)).sort((a, b) => b[1] - a[1])
  const outside = uncaught.length ? ` (uncaught: ${uncaught[0].slice(0, 60)})` : ''
  const counts = [inFlight, down, after].map((group) => `${group.ok} / ${group.failed} / ${group.hung}`)
  return [contender, ...counts, serverUpMs, firstOkMs ?? 'never', (errors[0]?.[0] ?? '') + outside]
}

function goal(seen) {
  const late = seen.crashed ? undefined : seen.firstOkMs - seen.serverUpMs
  const verdict = late <= 150 && hung(seen) === 0 ? 'met' : 'missed'
  const found = seen.crashed ?? `${hung(seen)} hung, first ok ${late} ms after it is up`
  const what = `${seen.contender}, 0 hung, first ok at most 150 ms after the server is up`
  return { verdict, text: `goal ${verdict}: ${what}: ${found}` }
}
