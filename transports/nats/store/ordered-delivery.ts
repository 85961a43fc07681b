import type { Failure, StoreDelivery, StoredEvent, Verdict } from '../../../lib/transport-kit.js'
import type { Open } from './ordered-place.js'

/** Where an ordered delivery is under way. */
export interface OrderedHome {
  /** Resolves when it is in writing, or another instance has the subscription. */
  end(delivery: OrderedDelivery, verdict: Verdict): Promise<void>
}

/** An event of an ordered subscription, under way in the one instance that has it. */
export class OrderedDelivery implements StoreDelivery {
  readonly event: StoredEvent
  /** Where the event lies in its stream. */
  readonly sequence: number
  readonly attempt: number
  readonly firstAt: number
  /** The core keeps what failed, and this instance has all of it: nothing has to be written down. */
  readonly failures: readonly Failure[] = []
  readonly #home: OrderedHome
  #ending: Promise<void> | undefined

  constructor(home: OrderedHome, event: StoredEvent, sequence: number, { deliveries, firstAt }: Open) {
    this.event = event
    this.sequence = sequence
    this.attempt = Math.max(1, deliveries)
    this.firstAt = firstAt
    this.#home = home
  }

  /** The instance gives its sign for the whole subscription. */
  extend(): void {}

  end(verdict: Verdict): Promise<void> {
    this.#ending ??= this.#home.end(this, verdict)
    return this.#ending
  }
}
