import type { DurableSubscription, ServedSubscription, StoreDelivery } from '../../../lib/transport-kit.js'
import type { Known } from './known.js'
import { OrderedSubscription } from './ordered-subscription.js'
import type { Parts } from './parts.js'
import { patiently } from './patiently.js'
import { SharedSubscription } from './shared-subscription.js'

/** A subscription that this instance serves until it is stopped, whatever happens to the broker meanwhile. */
export class Served implements ServedSubscription {
  readonly #parts: Parts
  readonly #known: Known
  readonly #subscription: DurableSubscription
  readonly #deliver: (delivery: StoreDelivery) => void
  #epoch: string
  #current: SharedSubscription | OrderedSubscription
  #isStopped = false
  #setOver: () => void = () => {}

  /** Resolves when it was stopped, and nothing is under way any more. */
  readonly over = new Promise<void>((resolve) => {
    this.#setOver = resolve
  })

  constructor(
    parts: Parts,
    known: Known,
    subscription: DurableSubscription,
    deliver: (delivery: StoreDelivery) => void,
  ) {
    this.#parts = parts
    this.#known = known
    this.#subscription = subscription
    this.#deliver = deliver
    this.#epoch = parts.streams.epoch
    this.#current = this.#begin()
  }

  /** Resolves when it was tried to fetch events. */
  get begun(): Promise<void> {
    return this.#current.begun
  }

  stop(): Promise<void> {
    this.#isStopped = true
    void this.#current.over.then(this.#setOver)
    return this.#current.stop()
  }

  close(): Promise<void> {
    this.#isStopped = true
    void this.#current.over.then(this.#setOver)
    return this.#current.close()
  }

  #begin(): SharedSubscription | OrderedSubscription {
    const Kind = this.#subscription.ordered ? OrderedSubscription : SharedSubscription
    return new Kind(this.#parts, this.#subscription, this.#deliver, () => void this.#beginAnew())
  }

  /**
   * The broker does not know the subscription any more. If it has lost everything, what it stores by now is for us. If
   * somebody has removed the subscription, or made it an ordered one or a shared one, it is not for this instance to undo.
   */
  async #beginAnew(): Promise<void> {
    const { streams, link, host } = this.#parts
    const { name } = this.#subscription
    if (this.#isStopped) return
    try {
      await patiently(link, `The subscription ${name} is not served any more`, () => streams.ensure())
      if (streams.epoch === this.#epoch) {
        const advice =
          'It was removed, or is served in another way by another version. Restart this instance to have it again.'
        host.log('error', { subscription: name }, `The subscription ${name} is gone from the store. ${advice}`)
        return
      }
      this.#epoch = streams.epoch
      await patiently(link, `The subscription ${name} is not served any more`, () =>
        this.#known.add(this.#subscription, 1),
      )
      host.log('error', { subscription: name }, 'The store has lost all events and begins anew.')
      if (!this.#isStopped) this.#current = this.#begin()
    } catch (error) {
      if (!link.isClosed) host.log('error', { subscription: name, error }, (error as Error).message)
    }
  }
}
