import type { OpenStore, StoreHost } from '../../../lib/transport-kit.js'
import { adminOf } from './admin.js'
import { appending } from './appending.js'
import { Known } from './known.js'
import { Link, type StoreBroker } from './link.js'
import { namesOf } from './names.js'
import type { Parts } from './parts.js'
import { patiently } from './patiently.js'
import { retained } from './retained.js'
import { Served } from './serving.js'
import { type StoreSettings, storeDefaults } from './settings.js'
import { Streams } from './streams.js'

export { isJetStreamEmpty } from './emptiness.js'
export type { StoreBroker } from './link.js'
export type { StoreOptions, StoreSettings } from './settings.js'

/**
 * Opens the durable events of a space in JetStream: makes its streams where they are missing. Keeps trying while the
 * broker cannot be reached, until the host's signal aborts. Rejects with `LUC_STORE_FAILED`: at once where the server has
 * no JetStream, or has streams of these names that are of no use.
 */
export async function openJetStream(broker: StoreBroker, settings: StoreSettings, host: StoreHost): Promise<OpenStore> {
  const where = `jetstream ${broker.settings.shown}/${settings.space}`
  const link = await Link.open(broker, settings.space, host)
  const names = namesOf(settings.space)
  const streams = new Streams(link, names, settings, host.log)
  try {
    await patiently(link, `The store (${where}) cannot be opened`, () => streams.ensure(), host.signal)
  } catch (error) {
    await link.close()
    throw error
  }
  const parts = { link, names, streams, host, ackWaitMs: settings.ackWaitMs ?? storeDefaults.ackWaitMs }
  return openStore(parts, where)
}

function openStore(parts: Parts, where: string): OpenStore {
  const { link, names, streams } = parts
  const { log } = parts.host
  const unfollow = link.follow({
    lost: () => log('warn', { store: where }, 'The store has lost its broker: what is to be stored waits.'),
    back: () => log('info', { store: where }, 'The store has its broker again.'),
  })
  const known = new Known(link, names, parts.ackWaitMs)
  const served = new Set<Served>()
  const know: OpenStore['know'] = (subscription) =>
    patiently(link, `The subscription ${subscription.name} cannot be made known`, () => known.add(subscription))
  return {
    append: appending(link, names, streams),
    know,
    serve: async (subscription, deliver) => {
      await know(subscription)
      const one = new Served(parts, known, subscription, deliver)
      served.add(one)
      void one.over.then(() => served.delete(one))
      await one.begun
      return one
    },
    retained: (matches) => patiently(link, 'The retained events cannot be read', () => retained(parts, matches)),
    admin: adminOf(parts, known, where),
    close: async () => {
      if (link.isClosed) return
      unfollow()
      await Promise.all([...served].map((one) => one.close()))
      await link.close()
    },
  }
}
