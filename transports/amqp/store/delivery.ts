import type { ConsumeMessage } from 'amqplib'
import type { Failure, StoreDelivery, StoredEvent, Verdict } from '../../../lib/transport-kit.js'
import type { Record } from './record.js'

/** Ends a delivery in the broker. */
type End = (verdict: Verdict) => Promise<void>

/** An event on its way to a subscription of this instance. */
export class Delivery implements StoreDelivery {
  readonly event: StoredEvent
  readonly attempt: number
  readonly firstAt: number
  readonly failures: readonly Failure[]
  /** What lies in the broker, to be acknowledged. */
  readonly message: ConsumeMessage
  readonly #end: End
  #ended: Promise<void> | undefined

  constructor({ event, attempts, firstAt, failures }: Record, message: ConsumeMessage, end: End) {
    // A quorum queue counts how often a message came back to it: handed back, or its consumer was lost.
    const comebacks = Number(message.properties.headers?.['x-delivery-count'] ?? 0)
    this.event = event
    this.attempt = attempts + comebacks + 1
    this.firstAt = firstAt ?? (comebacks === 0 && attempts === 0 ? Date.now() : event.at)
    this.failures = failures
    this.message = message
    this.#end = end
  }

  /** The broker asks for no signs of life of a delivery: it is ours as long as the channel, for at most its own time-out. */
  extend(): void {}

  end(verdict: Verdict): Promise<void> {
    this.#ended ??= this.#end(verdict)
    return this.#ended
  }
}
