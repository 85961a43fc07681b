// Load loops, all but the last bounded by time. `call` sends what `make` makes.

import { setImmediate as turn } from 'node:timers/promises'
import { quantile } from './statistics.js'
import { verify, wholeMessage } from './work.js'

/** In one process. The clock is read once in 50 calls, for a call may take less than reading it. */
export async function loadLocal({ call, make = wholeMessage }, inFlight, ms) {
  let ops = 0
  const from = performance.now()
  const end = from + ms
  const worker = async (seed) => {
    let i = seed
    do {
      for (let k = 0; k < 50; k++) {
        const message = make(i++)
        verify(message, await call(message))
      }
      ops += 50
    } while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: inFlight }, (_, w) => worker(w * 17)))
  return { rate: (ops / (performance.now() - from)) * 1000 }
}

/** Between processes: every request is timed. Latencies in µs. */
export async function loadRemote({ call }, inFlight, ms) {
  const latencies = []
  const from = performance.now()
  const end = from + ms
  const worker = async (seed) => {
    let i = seed
    let before = performance.now()
    while (before < end) {
      const message = wholeMessage(i++)
      verify(message, await call(message))
      const now = performance.now()
      latencies.push(now - before)
      before = now
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, w) => worker(w * 17)))
  const seconds = (performance.now() - from) / 1000
  latencies.sort((a, b) => a - b)
  return {
    ops: latencies.length,
    rate: latencies.length / seconds,
    p50: quantile(latencies, 0.5) * 1000,
    p99: quantile(latencies, 0.99) * 1000,
  }
}

/** A number of calls, half of them one at a time, half 512 at once, with a turn of the event loop every 1,024. */
export async function loadCounted({ call, make = wholeMessage }, count) {
  const once = async (i) => {
    const message = make(i)
    verify(message, await call(message))
  }
  for (let done = 0; done < count; done += 1024) {
    for (let k = 0; k < 512; k++) await once(k)
    await Promise.all(Array.from({ length: 512 }, (_, k) => once(k)))
    await turn()
  }
}
