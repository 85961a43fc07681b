import type { Delivery } from '../handler.js'
import type { Call } from './call.js'

// Apart from the calls, of which millions are made a second: few of them come out of a store.
const deliveries = new WeakMap<Call, Delivery>()

/** Notes how the event came that a call observes. */
export function noteDelivery(call: Call, delivery: Delivery): void {
  deliveries.set(call, Object.freeze(delivery))
}

/** How the event came that a call observes; undefined if it did not come out of a store. */
export function deliveryOf(call: Call): Delivery | undefined {
  return deliveries.get(call)
}
