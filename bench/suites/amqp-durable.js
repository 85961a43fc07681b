// Durable events through RabbitMQ: stored, handled and acknowledged, from one process to another.

import { measureFanOut } from '../lib/fan-out.js'

export const title = 'Q. Durable events through quorum queues: stored, handled, acknowledged'
/** Persistent messages with confirms into a quorum queue, consumed with explicit acknowledgement, on the same library. */
export const floor = 'amqp#quorum'
export const defaults = { rounds: 5, ms: 600 }
export const contenders = [floor, 'lucilius#quorum']

export async function run(play) {
  const { raw, table } = await measureFanOut(play, { floor, processes: 1, each: 1 })
  return { raw, tables: [table], goals: [] }
}
