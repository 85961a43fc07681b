// Durable events through JetStream: stored, handled and acknowledged, from one process to another.

import { measureFanOut } from '../lib/fan-out.js'

export const title = 'J. Durable events through JetStream: stored, handled, acknowledged'
/** Publishing and a pull consumer with explicit acknowledgement, on the same client library. */
export const floor = 'nats#jetstream'
export const defaults = { rounds: 5, ms: 600 }
export const contenders = [floor, 'lucilius#jetstream']

export async function run(play) {
  const { raw, table } = await measureFanOut(play, { floor, processes: 1, each: 1 })
  return { raw, tables: [table], goals: [] }
}
