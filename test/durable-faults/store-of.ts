import type { EventStore } from '../../lib/transport-kit.js'

/** The stores that faults are tried on. */
export type StoreKind = 'embedded' | 'nats' | 'amqp'

/** Makes the store that a process uses: `at` is a folder, or the address of a broker. */
export async function storeOf(kind: StoreKind, at: string): Promise<EventStore> {
  if (kind === 'embedded') return (await import('../../transports/embedded/index.js')).embedded({ path: at })
  if (kind === 'nats') return (await import('../../transports/nats/index.js')).nats({ servers: at, space: 'faults' })
  return (await import('../../transports/amqp/index.js')).amqp({ url: at, space: 'faults' })
}
