import type { StoredEvent, Verdict } from '../../../lib/transport-kit.js'
import type { OrderedDelivery } from './ordered-delivery.js'
import type { Open, OrderedPlace } from './ordered-place.js'

/** An event that is to be delivered next; without it, it has to be read first. */
export interface Due {
  readonly sequence: number
  readonly event?: StoredEvent
}

/** What an ordered subscription has begun with and not ended, and what of it is to be delivered next. */
export class OrderedBacklog {
  /** By sequence. */
  readonly #open: Map<number, Open>
  /** Those that are not under way, in their order. */
  readonly #due: Due[]
  #upTo: number

  /** With what an earlier holder has left. */
  constructor({ upTo, open }: OrderedPlace) {
    this.#upTo = upTo
    this.#open = new Map(open)
    this.#due = [...open.keys()].map((sequence) => ({ sequence }))
  }

  /** How many have no end. */
  get size(): number {
    return this.#open.size
  }

  /** Up to where all is behind the subscription, but what is open. */
  get upTo(): number {
    return this.#upTo
  }

  placeOf(holder: string | null): OrderedPlace {
    return { upTo: this.#upTo, open: this.#open, holder }
  }

  /** Takes the next event of the stream. Without one, what lies there is not for this subscription: behind it at once. */
  add(sequence: number, event: StoredEvent | undefined): void {
    this.#upTo = sequence
    if (event === undefined) return
    this.#open.set(sequence, { deliveries: 0, firstAt: 0 })
    this.#due.push({ sequence, event })
  }

  /** The next one to be delivered, if there is one: now it is due no more. */
  next(): Due | undefined {
    return this.#due.shift()
  }

  /** It is delivered once more. */
  count(sequence: number): Open {
    return this.#recount(sequence, 1)
  }

  end(sequence: number): void {
    this.#open.delete(sequence)
  }

  /** It comes again, here or in the next holder. */
  putBack({ event, sequence }: OrderedDelivery, kind: Verdict['kind']): void {
    if (kind === 'back') this.#recount(sequence, -1)
    const at = this.#due.findIndex((due) => due.sequence > sequence)
    this.#due.splice(at === -1 ? this.#due.length : at, 0, { sequence, event })
  }

  #recount(sequence: number, change: 1 | -1): Open {
    const { deliveries, firstAt } = this.#open.get(sequence) ?? { deliveries: 0, firstAt: 0 }
    const open = { deliveries: deliveries + change, firstAt: firstAt === 0 ? Date.now() : firstAt }
    this.#open.set(sequence, open)
    return open
  }
}
