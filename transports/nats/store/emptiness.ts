import { jetstreamManager } from '@nats-io/jetstream'
import type { StoreBroker } from './link.js'
import { namesOf } from './names.js'
import type { StoreSettings } from './settings.js'
import { refusals } from './unanswered.js'

/**
 * Whether certainly nothing is kept for a space: its stream is not there, or the server has no JetStream. False where the
 * broker cannot be reached, for then nobody knows.
 */
export async function isJetStreamEmpty(broker: StoreBroker, { space }: Pick<StoreSettings, 'space'>): Promise<boolean> {
  const lease = await broker.use({ lost: () => {}, back: () => {} }).catch(() => undefined)
  if (lease === undefined) return false
  try {
    const manager = await jetstreamManager(lease.nats, { checkAPI: false })
    await manager.streams.info(namesOf(space).streams.events)
    return false
  } catch (error) {
    const { name, code } = error as { readonly name?: unknown; readonly code?: unknown }
    return name === 'JetStreamNotEnabled' || code === refusals.streamNotFound
  } finally {
    await lease.release()
  }
}
