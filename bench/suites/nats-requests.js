// Request and reply through a NATS server, one client and one server process.

import { judge } from '../lib/goals.js'
import { measureRequests, requestRates } from '../lib/requests.js'
import { ratio } from '../lib/statistics.js'

export const title = 'N. Request and reply through NATS'
/** The same client library alone, without the stack trace that it captures for each request by default. */
export const floor = 'nats#fast'
export const defaults = { rounds: 7, ms: 400 }
export const contenders = [floor, 'nats', 'lucilius#nats', 'moleculer#nats']

export async function run(play) {
  const raw = await measureRequests(play)
  const { [floor]: bare, 'lucilius#nats': ours } = raw
  const goals =
    bare && ours
      ? [1, 64].map((n) =>
          judge(
            `lucilius#nats at ${n} in flight, × ${floor}`,
            { atLeast: 0.9 },
            { '': ratio(ours[n].rate, bare[n].rate) },
          ),
        )
      : []
  return { raw, tables: [requestRates(raw, floor)], goals }
}
