// One publisher, eight subscribers in two processes.

import { measureFanOut } from '../lib/fan-out.js'
import { judge } from '../lib/goals.js'

export const title = 'E. Broadcast to 8 subscribers in 2 processes'
export const floor = 'net'
export const defaults = { rounds: 5, ms: 600 }
export const contenders = [
  ...[floor, 'net#batch', 'ws', 'ws#batch', 'lucilius#websocket'],
  ...['nats', 'moleculer#tcp', 'moleculer#nats', 'cote'],
]

export async function run(play) {
  const { raw, table, ratios } = await measureFanOut(play, { floor, processes: 2, each: 4 })
  const goals = Object.entries(ratios)
    .filter(([contender]) => contender.startsWith('lucilius'))
    .map(([contender, ratio]) => judge(`${contender}, × floor`, { atLeast: 8 }, { '': ratio }))
  return { raw, tables: [table], goals }
}
