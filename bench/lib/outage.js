// What callers see of a server that is killed and comes back.

import { setTimeout as sleep } from 'node:timers/promises'
import { verify, wholeMessage } from './work.js'

/**
 * Keeps messages in flight until `kill()`; from then on sends one every `every` ms, whatever became of the others.
 * `finish()` waits `settleMs` and counts; what has not settled then, hangs. All times are ms since the kill.
 */
export function watchOutage({ call }, { inFlight, delay, every, settleMs }) {
  const sent = [] // { start, end, ok, error }, times in ms
  let killed = false
  let timer

  const send = async (i) => {
    const message = { ...wholeMessage(i), delay }
    const record = { start: Date.now(), end: 0, ok: false, error: '' }
    sent.push(record)
    try {
      verify(message, await call(message))
      record.ok = true
    } catch (error) {
      record.error = kindOf(error)
    }
    record.end = Date.now()
    return record.ok
  }
  const worker = async (seed) => {
    let i = seed
    while (!killed && (await send(i))) i++
  }
  for (let w = 0; w < inFlight; w++) void worker(w * 17) // send() never rejects

  return {
    kill() {
      killed = true
      let i = 0
      timer = setInterval(() => send(i++), every)
    },
    async finish({ killAt, restartAt }) {
      clearInterval(timer)
      await sleep(settleMs)
      const back = sent.filter((r) => r.ok && r.start > killAt).map((r) => r.end - killAt)
      return {
        inFlight: count(sent.filter((r) => r.start <= killAt && (!r.end || r.end > killAt))),
        down: count(sent.filter((r) => r.start > killAt && r.start <= restartAt)),
        after: count(sent.filter((r) => r.start > restartAt)),
        firstOkMs: back.length ? Math.min(...back) : undefined,
      }
    },
  }
}

// the first line of an error, without what differs from call to call
function kindOf(error) {
  const [line = ''] = String(error?.message ?? error).split('\n')
  return line.replace(/[0-9a-f]{8,}|\d{4,}/g, 'N').slice(0, 80) || 'error without a message'
}

function count(records) {
  const errors = {}
  for (const { error } of records) if (error) errors[error] = (errors[error] ?? 0) + 1
  return {
    ok: records.filter((r) => r.ok).length,
    failed: records.filter((r) => r.error).length,
    hung: records.filter((r) => !r.end).length,
    errors,
  }
}
