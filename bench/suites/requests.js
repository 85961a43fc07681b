// Request and reply between two processes on loopback, one client.

import { judge } from '../lib/goals.js'
import { cpuNs } from '../lib/processes.js'
import { inTurn } from '../lib/stage.js'
import { ratio, summary } from '../lib/statistics.js'
import { figure, spread } from '../lib/table.js'

export const title = 'B. Request and reply between two processes'
export const floor = 'net'
export const defaults = { rounds: 5, ms: 400 }
export const contenders = [
  ...[floor, 'net#batch', 'net#cap16', 'ws', 'ws#batch', 'ws#cap16'],
  ...['lucilius#websocket', 'lucilius#http'],
  ...['http#p1', 'http#p10', 'http#dispatch', 'fastify#p1', 'fastify#p10'],
  ...['grpc', 'nats', 'nats#fast', 'nest', 'moleculer#tcp', 'moleculer#nats', 'seneca#web', 'seneca#tcp', 'cote'],
]
const FLIGHTS = [1, 64, 256]

export async function run({ contenders, rounds, ms, stage, log }) {
  const pairs = await stage.pairs(contenders)
  const raw = {}
  for (const { contender, client } of pairs) {
    raw[contender] = Object.fromEntries(FLIGHTS.map((n) => [n, { rate: [], p50: [], p99: [], cpu: [] }]))
    for (const inFlight of FLIGHTS) await client.ask({ do: 'load', inFlight, ms: 400 }) // warm-up
  }
  for (let round = 0; round < rounds; round++) {
    for (const pair of inTurn(pairs, round)) {
      for (const inFlight of FLIGHTS) {
        const slice = await measure(pair, inFlight, ms)
        for (const [what, list] of Object.entries(raw[pair.contender][inFlight])) list.push(slice[what])
      }
    }
    log(`round ${round + 1}/${rounds}`)
  }
  await Promise.all(pairs.flatMap(({ client, server }) => [client.stop(), server.stop()]))
  return { raw, tables: [rates(raw)], goals: goals(raw) }
}

// one slice, with the CPU time that client, server and broker took for a request, in µs
async function measure({ client, server, brokers }, inFlight, ms) {
  const used = () => [client.proc.pid, server.proc.pid, ...brokers].reduce((sum, pid) => sum + cpuNs(pid), 0)
  const before = used()
  const slice = await client.ask({ do: 'load', inFlight, ms })
  return { ...slice, cpu: (used() - before) / slice.ops / 1000 }
}

function rates(raw) {
  const rows = Object.entries(raw).map(([contender, mine]) => {
    const cells = FLIGHTS.flatMap((n) => [
      figure(summary(mine[n].rate).median),
      spread(ratio(mine[n].rate, raw[floor]?.[n].rate)),
      figure(summary(mine[n].p50).median),
      figure(summary(mine[n].p99).median),
    ])
    return [contender, ...cells, figure(summary(mine[64].cpu)?.median)]
  })
  const head = FLIGHTS.flatMap((n) => [`${n}: req/s`, '× floor', 'p50 µs', 'p99 µs'])
  return { caption: 'Medians, by requests in flight', head: ['contender', ...head, 'CPU µs/req at 64'], rows }
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
