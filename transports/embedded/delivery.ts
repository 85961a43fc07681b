import type { Failure, StoreDelivery, StoredEvent, Verdict } from '../../lib/transport-kit.js'
import type { Entry } from './entry.js'

/** An event on its way to one subscription: what it is ended with goes on to the queue, once. */
export class Delivery implements StoreDelivery {
  readonly event: StoredEvent
  readonly attempt: number
  readonly firstAt: number
  readonly failures: readonly Failure[]
  #end: ((verdict: Verdict) => Promise<void>) | undefined

  constructor(event: StoredEvent, { history }: Entry, end: (verdict: Verdict) => Promise<void>) {
    this.event = event
    this.attempt = history.attempt
    this.firstAt = history.firstAt
    this.failures = history.failures
    this.#end = end
  }

  /** Nothing to do: it is under way for as long as the process lives. */
  extend(): void {}

  async end(verdict: Verdict): Promise<void> {
    const end = this.#end
    this.#end = undefined
    await end?.(verdict)
  }
}
