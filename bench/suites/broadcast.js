// One publisher, eight subscribers in two processes.

import { setTimeout as sleep } from 'node:timers/promises'
import { judge } from '../lib/goals.js'
import { inTurn } from '../lib/stage.js'
import { ratio, summary } from '../lib/statistics.js'
import { spread } from '../lib/table.js'

export const title = 'E. Broadcast to 8 subscribers in 2 processes'
export const floor = 'net'
export const defaults = { rounds: 5, ms: 600 }
export const contenders = [
  ...[floor, 'net#batch', 'ws', 'ws#batch', 'lucilius#websocket'],
  ...['nats', 'moleculer#tcp', 'moleculer#nats', 'cote'],
]
const PROCESSES = 2
const EACH = 4

export async function run({ contenders, rounds, ms, stage, log }) {
  const groups = []
  for (const contender of contenders) {
    const group = await gather(contender, stage)
    if (group) groups.push(group)
  }
  await sleep(6000) // discovery
  for (const group of groups) {
    await size(group, ms)
    log(`${group.contender}: ${group.lost ? 'lost messages' : `${group.messages} messages a round`}`)
  }
  const raw = Object.fromEntries(groups.map(({ contender }) => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    for (const group of inTurn(groups, round)) {
      if (!group.lost) raw[group.contender].push(await broadcast(group, group.messages))
    }
  }
  await Promise.all(
    groups.flatMap(({ publisher, subscribers }) => [publisher, ...subscribers].map((kid) => kid.stop())),
  )

  const toFloor = (contender) => ratio(raw[contender], raw[floor])
  const rows = groups.map(({ contender, lost }) =>
    lost ? [contender, 'lost messages', ''] : [contender, spread(summary(raw[contender])), spread(toFloor(contender))],
  )
  const goals = groups
    .filter(({ contender }) => contender.startsWith('lucilius'))
    .map(({ contender, lost }) =>
      judge(`${contender}, × floor`, { atLeast: 8 }, { '': lost ? undefined : toFloor(contender) }),
    )
  return {
    raw,
    tables: [{ caption: 'Median (interquartile range)', head: ['contender', 'deliveries/s', '× floor'], rows }],
    goals,
  }
}

async function gather(contender, stage) {
  const at = await stage.placed(contender)
  if (!at) return undefined
  const publisher = await stage.start({ role: 'publisher', contender, ...at })
  const starts = Array.from({ length: PROCESSES }, (_, i) =>
    stage.start({ role: 'subscriber', contender, ...at, base: i * EACH, count: EACH }),
  )
  const subscribers = (await Promise.all(starts)).filter(Boolean)
  if (publisher && subscribers.length === PROCESSES) return { contender, publisher, subscribers, messages: 200 }
  await Promise.all([publisher, ...subscribers].map((kid) => kid?.kill()))
  return undefined
}

// Warms up and chooses the number of messages that takes about `ms`.
async function size(group, ms) {
  for (let i = 0; i < 5 && !group.lost; i++) {
    const rate = await broadcast(group, group.messages)
    const wanted = Math.ceil((rate / (PROCESSES * EACH)) * (ms / 1000))
    if (!group.lost) group.messages = Math.min(200_000, Math.max(200, wanted))
  }
}

// Deliveries a second; marks the group if a message does not arrive within 8 s.
async function broadcast(group, messages) {
  for (const kid of group.subscribers) await kid.ask({ do: 'expect', messages })
  const arrivals = group.subscribers.map((kid) => kid.next(8000).catch(() => undefined))
  const from = performance.now()
  await group.publisher.ask({ do: 'publish', messages })
  const all = await Promise.all(arrivals)
  group.lost = !all.every(Boolean)
  return (messages * PROCESSES * EACH * 1000) / (performance.now() - from)
}
