import { releaseEvent } from './kept-events.js'
import { below, type Database, lastPart, subscriptionKey } from './keys.js'
import type { Writer } from './writer.js'

/** How many are deleted in one batch. */
const AT_ONCE = 1000

/**
 * Deletes what waits for a subscription that is no longer known, its dead letters, and at last the word that it is to be
 * removed: a process that ends before goes on with it at its next start.
 */
export async function removeAll(database: Database, writer: Writer, name: string): Promise<void> {
  for (const home of ['ready', 'running', 'delayed']) await removeHome(database, writer, below(home, name))
  const { gt, lt } = below('dead')
  for (let from = gt; ; ) {
    const keys = await database.keys({ gt: from, lt, limit: AT_ONCE }).all()
    const its = keys.filter((key) => lastPart(key) === name)
    if (its.length > 0) await writer.write((batch) => its.forEach((key) => void batch.delete(key)))
    const last = keys.at(-1)
    if (last === undefined) break
    from = last
  }
  await writer.write((batch) => batch.delete(subscriptionKey(name)), { sync: true })
}

async function removeHome(database: Database, writer: Writer, range: { gt: string; lt: string }): Promise<void> {
  for (;;) {
    const keys = await database.keys({ ...range, limit: AT_ONCE }).all()
    if (keys.length === 0) return
    await writer.write((batch) => {
      for (const key of keys) {
        batch.delete(key)
        releaseEvent(batch, Number(lastPart(key)))
      }
    })
  }
}
