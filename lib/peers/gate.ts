import type { Action } from '../dispatch/action.js'
import type { Call } from '../dispatch/call.js'
import { callOf } from '../dispatch/context.js'
import type { Dispatcher } from '../dispatch/dispatcher.js'
import type { LuciliusError } from '../errors.js'
import type { Handler } from '../handler.js'
import type { Message } from '../message.js'
import type { Parking } from './parking.js'

/**
 * Holds the acts that lead to certain actions while what answers them is exchanged, those from peers and clients too;
 * once it is open each goes on to what answers it then. What is acted inside a handler of such an action, or let through,
 * goes on at once: work that runs could not end otherwise.
 *
 * An action that stands in the place of the real one does the holding, so that nothing is asked when there is no gate.
 */
export class Gate {
  readonly #dispatcher: Dispatcher
  readonly #parking: Parking
  readonly #notFound: (message: Message) => LuciliusError
  readonly #held = new Set<Action>()
  /** The real actions, those that have gone since included. */
  readonly #inside = new WeakSet<Action>()
  #isOpen = false
  #passing = false

  constructor(dispatcher: Dispatcher, parking: Parking, notFound: (message: Message) => LuciliusError) {
    this.#dispatcher = dispatcher
    this.#parking = parking
    this.#notFound = notFound
  }

  /** Holds the acts that lead to an action of this app. */
  hold(action: Action): void {
    this.#held.add(action)
    this.#inside.add(action)
    this.#dispatcher.composition.replace(action, this.#standInOf(action))
  }

  /** Takes the place of an action that goes for good: nothing is held for it any more. */
  drop(action: Action): void {
    this.#held.delete(action)
    this.#dispatcher.actions.remove(action)
  }

  /** Puts the wraps of today around what is held. Throws `LUC_HANDLER_INVALID`. */
  compose(): void {
    for (const action of this.#held) this.#dispatcher.composition.compose(action)
  }

  /** Lets through what `act` sends in this turn. */
  through<T>(act: () => T): T {
    this.#passing = true
    try {
      return act()
    } finally {
      this.#passing = false
    }
  }

  /** Puts the real actions back and lets go what was held, first come, first served. */
  open(): void {
    this.#isOpen = true
    const { actions, composition } = this.#dispatcher
    actions.together(() => {
      for (const action of this.#held) composition.restore(action)
    })
    this.#parking.wake()
  }

  #standInOf(action: Action): Action {
    const standIn: Action = {
      ...action,
      // What is held does not run yet: only the caller's time counts.
      timeoutMs: Number.POSITIVE_INFINITY,
      handler: this.#holding(action, (call) => this.#next(call)),
      held: (choose) => {
        const run = this.#holding(action, choose)
        return { ...standIn, handler: run, run }
      },
    }
    return standIn
  }

  #holding(action: Action, next: (call: Call) => Action | undefined): Handler {
    return (_, context) => {
      // A wrap of the caller's side may have made a context of its own; one that belongs to no call was refused there.
      const call = callOf(context) as Call
      // Its errors are those of the call that follows.
      call.atCaller = true
      if (this.#passing || this.#isInside(call)) return this.#dispatcher.follow(action, call)
      return this.#wait(call).then(() => this.#follow(next(call), call))
    }
  }

  #follow(action: Action | undefined, call: Call): Promise<unknown> {
    if (action !== undefined) return this.#dispatcher.follow(action, call)
    // Behind the last action of a chain is nothing, which is no mistake.
    return call.below === undefined ? Promise.reject(this.#notFound(call.message)) : Promise.resolve(undefined)
  }

  #isInside(call: Call): boolean {
    for (let outer = call.parent; outer !== undefined; outer = outer.parent) {
      if (outer.action.held === undefined && this.#inside.has(outer.action)) return true
    }
    return false
  }

  /** Waits until the gate is open; ends with the call, of which it is known that it was not handled. */
  #wait(call: Call): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        call.parked = false
        call.onCancel = undefined
        resolve()
      }
      const ticket = this.#parking.park(call.message, () => this.#isOpen, go)
      call.parked = true
      call.onCancel = () => {
        ticket.leave()
        resolve()
      }
    })
  }

  /** What answers a call of this app now. */
  #next(call: Call): Action | undefined {
    if (call.below === undefined) return this.#dispatcher.reroute(call)
    let asking = call.parent
    while (asking?.action.held !== undefined) asking = asking.parent
    return asking === undefined ? undefined : this.#dispatcher.actions.prior(asking.action)
  }
}
