import type { Action } from '../dispatch/action.js'
import { Call, type Ledger, type Origin, type Waiter } from '../dispatch/call.js'
import type { Within } from '../dispatch/context.js'
import { noteDelivery } from '../dispatch/delivery.js'
import type { Rules } from '../dispatch/dispatcher.js'
import { launchFor } from '../dispatch/launch.js'
import type { Delivery } from '../handler.js'
import { thrownError } from '../hook.js'
import type { Message } from '../message.js'
import { portableCopy } from '../portable.js'
import type { StoredEvent } from '../store.js'
import type { Durable } from './durable.js'
import { Observation } from './observation.js'
import type { Subscribed } from './subscriptions.js'

/** Runs handlers on events that were stored, as they would run on those that are emitted. */
export class StoredRuns {
  readonly #books: Ledger
  readonly #rules: Rules
  readonly #within: Within

  constructor(books: Ledger, rules: Rules, within: Within) {
    this.#books = books
    this.#rules = rules
    this.#within = within
  }

  /** Runs the handler of a durable subscription on an event that a store delivers. Throws what is wrong with the event. */
  attempt(
    { action, timeoutMs }: Durable,
    event: StoredEvent,
    delivery: Delivery,
    waiter: Waiter,
    started: (call: Call) => void,
  ): void {
    const call = this.#callOf(ATTEMPTS, action, event, timeoutMs)
    noteDelivery(call, delivery)
    started(call)
    launchFor(waiter, call, action.run, this.#within)
  }

  /** Has an observer that came later observe an event that is retained. Throws what is wrong with the event. */
  observeLate(observer: Subscribed, event: StoredEvent): void {
    const call = this.#callOf(this.#books, observer.action, event, this.#rules.timeoutMs)
    noteDelivery(call, { id: event.id, attempt: 1, firstAt: event.at, retained: true })
    launchFor(new Observation(observer, call), call, observer.action.run, this.#within)
  }

  #callOf(ledger: Ledger, action: Action, { id, message, meta }: StoredEvent, timeoutMs: number): Call {
    const own = this.#rules.strict ? (portableCopy(message, 'message') as Message) : { ...message }
    const { hops = 1, identity, traceparent } = meta
    const origin = identity === undefined ? NOBODY : Object.freeze({ identity: portableCopy(identity, 'message') })
    const call = new Call(ledger, action, own, undefined, hops, timeoutMs, origin)
    call.continues(id, traceparent)
    return call
  }
}

const NOBODY: Origin = Object.freeze({})

/** Attempts are accounted for by their deliveries, what they give back is dropped, and what they throw is told as it is. */
const ATTEMPTS: Ledger = {
  began: () => {},
  ended: () => {},
  deliver: () => undefined,
  blame: thrownError,
}
