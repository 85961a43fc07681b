import type {
  DurableSubscription,
  Message,
  OpenStore,
  ServedSubscription,
  StoreAdmin,
  StoreDelivery,
  StoredEvent,
} from '../../lib/transport-kit.js'
import type { Consumer } from './consumers.js'
import { failed } from './failed.js'
import type { Queue } from './queue.js'
import type { SharedStore } from './shared-store.js'

/** The store as one app of this process has it open. */
export class Instance implements OpenStore {
  readonly admin: StoreAdmin
  readonly #store: SharedStore
  readonly #release: () => Promise<void>
  /** Those that are served, or have something under way. */
  readonly #served = new Map<Consumer, Queue>()
  #closed: Promise<void> | undefined

  constructor(store: SharedStore, release: () => Promise<void>) {
    this.#store = store
    this.#release = release
    this.admin = store.admin
  }

  append(event: StoredEvent, signal: AbortSignal): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(closed())
    try {
      return this.#store.append(event, signal)
    } catch (error) {
      return Promise.reject(error) // it cannot be written as JSON
    }
  }

  async know(subscription: DurableSubscription): Promise<void> {
    if (this.#closed !== undefined) throw closed()
    await this.#store.subscriptions.know(subscription)
  }

  async serve(
    subscription: DurableSubscription,
    deliver: (delivery: StoreDelivery) => void,
  ): Promise<ServedSubscription> {
    if (this.#closed !== undefined) throw closed()
    const { queue, consumer } = await this.#store.subscriptions.serve(subscription, deliver)
    this.#served.set(consumer, queue)
    consumer.onRetired = () => this.#served.delete(consumer)
    if (this.#closed !== undefined) queue.leave(consumer)
    return { stop: async () => queue.stop(consumer) }
  }

  retained(matches: (message: Message) => boolean): Promise<readonly StoredEvent[]> {
    return this.#closed === undefined ? this.#store.retained(matches) : Promise.reject(closed())
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    for (const [consumer, queue] of this.#served) queue.leave(consumer)
    await this.#release()
  }
}

function closed() {
  return failed('The store is closed: the app that had it open is closing.')
}
