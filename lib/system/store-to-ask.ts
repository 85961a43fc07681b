import type { Host } from '../host.js'
import type { StoreAdmin } from '../store.js'
import { nothingKept } from './empty-store.js'

/**
 * What an app keeps, for who asks; undefined if it has no store. A store that nothing here needs, and that holds nothing,
 * is not opened for the question: that would make one.
 */
export async function storeToAsk(host: Pick<Host, 'inventory' | 'mayHold' | 'store'>): Promise<StoreAdmin | undefined> {
  const { events, subscriptions } = host.inventory()
  const isNeeded = events.length > 0 || subscriptions.some(({ durable }) => durable !== undefined)
  if (!isNeeded && (await host.mayHold()) === false) return nothingKept
  return (await host.store())?.admin
}
