// Request and reply between two processes on loopback, one client.

import { judge } from '../lib/goals.js'
import { measureRequests, requestRates } from '../lib/requests.js'
import { ratio } from '../lib/statistics.js'

export const title = 'B. Request and reply between two processes'
export const floor = 'net'
export const defaults = { rounds: 5, ms: 400 }
export const contenders = [
  ...[floor, 'net#batch', 'net#cap16', 'ws', 'ws#batch', 'ws#cap16'],
  ...['lucilius#websocket', 'lucilius#http'],
  ...['http#p1', 'http#p10', 'http#dispatch', 'fastify#p1', 'fastify#p10'],
  ...['grpc', 'nats', 'nats#fast', 'nest', 'moleculer#tcp', 'moleculer#nats', 'seneca#web', 'seneca#tcp', 'cote'],
]

export async function run(play) {
  const raw = await measureRequests(play)
  return { raw, tables: [requestRates(raw, floor)], goals: goals(raw) }
}

// The transports' contenders are lucilius#websocket and lucilius#http.
function goals(raw) {
  const { 'lucilius#websocket': websocket, 'lucilius#http': http, [floor]: tcp, 'fastify#p1': fastify } = raw
  const rate = (name, [ours, n], base, atLeast) =>
    judge(`${name} at ${n} in flight, × floor`, { atLeast }, { '': ratio(ours[n].rate, base[n].rate) })
  const goals = []
  if (websocket && tcp) {
    goals.push(
      rate('lucilius#websocket', [websocket, 1], tcp, 0.75),
      rate('lucilius#websocket', [websocket, 64], tcp, 2),
      rate('lucilius#websocket', [websocket, 256], tcp, 2),
      judge(
        'lucilius#websocket, CPU at 64 in flight, × floor',
        { atMost: 0.5 },
        { '': ratio(websocket[64].cpu, tcp[64].cpu) },
      ),
    )
  }
  if (http && fastify) {
    goals.push(
      rate('lucilius#http / fastify#p1', [http, 1], fastify, 0.8),
      rate('lucilius#http / fastify#p1', [http, 64], fastify, 0.9),
    )
  }
  return goals
}
