// One publisher and its subscribers: how it is measured and shown.

import { setTimeout as sleep } from 'node:timers/promises'
import { inTurn } from './stage.js'
import { ratio, summary } from './statistics.js'
import { spread } from './table.js'

const DISCOVERY_MS = 6000

/**
 * Measures what is delivered to `processes` processes of `each` subscribers. Gives the deliveries a second of every round,
 * a table, and for each contender its ratio to the floor; undefined for one that loses messages.
 */
export async function measureFanOut({ contenders, rounds, ms, stage, log }, { floor, processes, each }) {
  const groups = []
  for (const contender of contenders) {
    const group = await gather(contender, stage, processes, each)
    if (group) groups.push(group)
  }
  await sleep(DISCOVERY_MS)
  for (const group of groups) {
    await size(group, ms)
    log(`${group.contender}: ${group.lost ? 'lost messages' : `${group.messages} messages a round`}`)
  }
  const raw = Object.fromEntries(groups.map(({ contender }) => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    for (const group of inTurn(groups, round)) {
      if (!group.lost) raw[group.contender].push(await deliver(group, group.messages))
    }
  }
  await Promise.all(
    groups.flatMap(({ publisher, subscribers }) => [publisher, ...subscribers].map((kid) => kid.stop())),
  )
  const ratios = Object.fromEntries(
    groups.map(({ contender, lost }) => [contender, lost ? undefined : ratio(raw[contender], raw[floor])]),
  )
  const rows = groups.map(({ contender, lost }) =>
    lost ? [contender, 'lost messages', ''] : [contender, spread(summary(raw[contender])), spread(ratios[contender])],
  )
  const table = { caption: 'Median (interquartile range)', head: ['contender', 'deliveries/s', '× floor'], rows }
  return { raw, table, ratios }
}

async function gather(contender, stage, processes, each) {
  const at = await stage.placed(contender)
  if (!at) return undefined
  const publisher = await stage.start({ role: 'publisher', contender, ...at })
  const starts = Array.from({ length: processes }, (_, i) =>
    stage.start({ role: 'subscriber', contender, ...at, base: i * each, count: each }),
  )
  const subscribers = (await Promise.all(starts)).filter(Boolean)
  if (publisher && subscribers.length === processes) {
    return { contender, publisher, subscribers, count: processes * each, messages: 200 }
  }
  await Promise.all([publisher, ...subscribers].map((kid) => kid?.kill()))
  return undefined
}

// Warms up and chooses the number of messages that takes about `ms`.
async function size(group, ms) {
  for (let i = 0; i < 5 && !group.lost; i++) {
    const rate = await deliver(group, group.messages)
    const wanted = Math.ceil((rate / group.count) * (ms / 1000))
    if (!group.lost) group.messages = Math.min(200_000, Math.max(200, wanted))
  }
}

// Deliveries a second; marks the group if a message does not arrive within 8 s.
async function deliver(group, messages) {
  for (const kid of group.subscribers) await kid.ask({ do: 'expect', messages })
  const arrivals = group.subscribers.map((kid) => kid.next(8000).catch(() => undefined))
  const from = performance.now()
  await group.publisher.ask({ do: 'publish', messages })
  const all = await Promise.all(arrivals)
  group.lost = !all.every(Boolean)
  return (messages * group.count * 1000) / (performance.now() - from)
}
