// Request and reply between two processes on loopback, one client: how it is measured and shown.

import { cpuNs } from './processes.js'
import { inTurn } from './stage.js'
import { ratio, summary } from './statistics.js'
import { figure, spread } from './table.js'

/** Calls that are under way at the same time. */
export const FLIGHTS = [1, 64, 256]

/** Measures pairs of a server and a client, every round in turn: rates, latencies in µs and CPU µs by requests in flight. */
export async function measureRequests({ contenders, rounds, ms, stage, log }) {
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
  return raw
}

// one slice, with the CPU time that client, server and broker took for a request, in µs
async function measure({ client, server, brokers }, inFlight, ms) {
  const used = () => [client.proc.pid, server.proc.pid, ...brokers].reduce((sum, pid) => sum + cpuNs(pid), 0)
  const before = used()
  const slice = await client.ask({ do: 'load', inFlight, ms })
  return { ...slice, cpu: (used() - before) / slice.ops / 1000 }
}

/** The table of what was measured, with ratios to the floor. */
export function requestRates(raw, floor) {
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
