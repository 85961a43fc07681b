/**
 * The service that handles what is emitted under faults, and writes each event that it has done into a ledger. An event
 * that is planted to fail always does.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { App } from '../../lib/index.js'

/** What is emitted. */
export const EVENT = 'role:work,event:done'

/** How often an event is tried: one that is planted is dead after that, others may be killed more often. */
const MAX_DELIVERIES = 6

/** Makes the plugin; every line of the ledger is the number of an event. */
export function sink(ledger: string): (app: App) => void {
  return (app) => {
    const file = openSync(ledger, 'a')
    app.onClose(() => closeSync(file))
    const options = { durable: 'all', maxDeliveries: MAX_DELIVERIES, backoff: { firstMs: 50, maxMs: 200 } } as const
    app.on(EVENT, options, async ({ n, planted }) => {
      if (planted === true) throw new Error('planted')
      await new Promise((resolve) => setTimeout(resolve, Number(n) % 8)) // so that some are under way at any time
      writeSync(file, `${n}\n`)
    })
  }
}
