// Request and reply through RabbitMQ, one client and one server process.

import { measureRequests, requestRates } from '../lib/requests.js'

export const title = 'R. Request and reply through RabbitMQ'
/** amqplib alone, direct reply-to. */
export const floor = 'amqp'
export const defaults = { rounds: 5, ms: 400 }
export const contenders = [floor, 'lucilius#amqp']

export async function run(play) {
  const raw = await measureRequests(play)
  return { raw, tables: [requestRates(raw, floor)], goals: [] }
}
