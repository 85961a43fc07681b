import { toEmitOptions } from '../dispatch/act-options.js'
import { Call, type Origin, type Waiter } from '../dispatch/call.js'
import type { Within } from '../dispatch/context.js'
import type { Dispatcher, Rules } from '../dispatch/dispatcher.js'
import { launchFor } from '../dispatch/launch.js'
import { logFailure } from '../dispatch/log-failure.js'
import { tooManyHops } from '../dispatch/refusals.js'
import { LuciliusError } from '../errors.js'
import type { Message } from '../message.js'
import { portableCopy } from '../portable.js'
import { type Subscribed, Subscriptions } from './subscriptions.js'

/** An event under way: the message and what its observers inherit. */
export interface Emission {
  readonly message: Message
  readonly origin: Origin
  readonly hops: number
  /** Id and trace of the call that emitted it, if there was one. */
  readonly id: string | undefined
  readonly traceparent: string | undefined
}

/** An event and who is to observe it. */
interface Due {
  readonly observers: readonly Subscribed[]
  readonly emission: Emission
  /** Nobody else has the message: it was read from a wire. */
  readonly isOurs: boolean
}

/** Sends an event on to the peers that observe it, except for services that an instance here has taken. */
export type Outlet = (emission: Emission, taken: ReadonlySet<string>) => void

/** Events that wait for observers that are being exchanged. */
interface Held {
  readonly events: { readonly emission: Emission; readonly observers: readonly Subscribed[] }[]
  /** How many may wait. */
  readonly max: number
  isHeld(observer: Subscribed): boolean
}

/** Hands events to their observers here and at peers, and never waits for one. */
export class Events {
  readonly subscriptions = new Subscriptions()
  readonly #dispatcher: Dispatcher
  readonly #rules: Rules
  readonly #outlet: Outlet
  readonly #within: Within
  #held: Held | undefined
  /** What is to be started. */
  #due: Due[] = []

  constructor(dispatcher: Dispatcher, rules: Rules, outlet: Outlet) {
    this.#dispatcher = dispatcher
    this.#rules = rules
    this.#outlet = outlet
    this.#within = {
      act: (call, first, data, options) => dispatcher.act(call, first, data, options),
      emit: (call, first, data, options) => this.emit(call, first, data, options),
      prior: () => Promise.resolve(undefined),
    }
  }

  /**
   * Emits a message. Resolves once it is handed over; rejects only when the message itself is wrong or has come by too
   * many hops. Observers of one instance start in the order of emission.
   */
  emit(parent: Call | undefined, first: unknown, data: unknown, options: unknown): Promise<void> {
    try {
      this.#emit(parent, first, data, options)
      return HANDED_OVER
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #emit(parent: Call | undefined, first: unknown, data: unknown, options: unknown): void {
    const wish = options === undefined ? undefined : toEmitOptions(options)
    const made = this.#dispatcher.messageOf(first, data)
    const message = this.#rules.strict ? (portableCopy(made, 'message') as Message) : made
    const hops = parent === undefined ? 1 : parent.hops + 1
    if (hops > this.#rules.maxHops) throw tooManyHops('The event', this.#rules.maxHops)
    const inherited = parent?.origin ?? NOBODY
    const origin = wish?.identity === undefined ? inherited : { ...inherited, identity: wish.identity }
    const emission: Emission = { message, origin, hops, id: parent?.id, traceparent: parent?.traceparent }
    const observers = this.subscriptions.matching(message)
    this.#startSoon({ observers, emission, isOurs: false })
    this.#outlet(emission, servicesOf(observers))
  }

  /** Takes an event from outside, for the services that this instance was picked for and for those that run in each. */
  receive(emission: Emission, services: readonly string[] | undefined): void {
    const matching = this.subscriptions.matching(emission.message)
    const isPicked = ({ each, service }: Subscribed) => each || services === undefined || services.includes(service)
    const observers = matching.every(isPicked) ? matching : matching.filter(isPicked)
    this.#startSoon({ observers, emission, isOurs: true })
  }

  /** Keeps what goes to certain observers, up to so many events, until `release`; what is more gets lost, and told. */
  hold(isHeld: (observer: Subscribed) => boolean, max: number): void {
    this.#held = { events: [], max, isHeld }
  }

  /** Hands on what was kept, in the order of emission, to those of the new observers that were picked before. */
  release(isNew: (observer: Subscribed) => boolean): void {
    const kept = this.#held?.events ?? []
    this.#held = undefined
    for (const { emission, observers } of kept) {
      const picked = new Set(observers.filter(({ each }) => !each).map(({ service }) => service))
      const next = this.subscriptions.matching(emission.message).filter(isNew)
      this.#startSoon({
        observers: next.filter(({ each, service }) => each || picked.has(service)),
        emission,
        isOurs: false,
      })
    }
  }

  #keep(observers: readonly Subscribed[], emission: Emission, { events, max, isHeld }: Held): Subscribed[] {
    const held = observers.filter(isHeld)
    if (held.length === 0) return [...observers]
    if (events.length < max) events.push({ emission, observers: held })
    else held[0]?.action.log.warn({ max }, 'an event is lost: too many wait for a plugin that is being replaced')
    return observers.filter((observer) => !isHeld(observer))
  }

  /** Observers start in a microtask: `emit` never runs one, and first emitted is first started. */
  #startSoon(given: Due): void {
    const due =
      this.#held === undefined
        ? given
        : { ...given, observers: this.#keep(given.observers, given.emission, this.#held), isOurs: false }
    if (due.observers.length === 0) return
    if (this.#due.push(due) === 1) queueMicrotask(this.#start)
  }

  readonly #start = (): void => {
    const due = this.#due
    this.#due = []
    for (const { observers, emission, isOurs } of due) {
      const isShared = observers.length > 1 || !isOurs
      for (const observer of observers) this.#observe(observer, emission, isShared)
    }
  }

  #observe(observer: Subscribed, { message, origin, hops, id, traceparent }: Emission, isShared: boolean): void {
    const { action } = observer
    // In production each observer gets an object of its own, so that none sees what another does to it.
    const own = isShared && !this.#rules.strict ? { ...message } : message
    const call = new Call(this.#dispatcher.books, action, own, undefined, hops, this.#rules.timeoutMs, origin)
    call.continues(id, traceparent)
    launchFor(new Observation(observer, call), call, action.run, this.#within)
  }
}

const HANDED_OVER = Promise.resolve()
const NOBODY: Origin = Object.freeze({})
const NO_SERVICE: ReadonlySet<string> = new Set()

/** The services of which an instance here has taken an event. */
function servicesOf(observers: readonly Subscribed[]): ReadonlySet<string> {
  if (observers.length === 0) return NO_SERVICE
  return new Set(observers.filter(({ each }) => !each).map(({ service }) => service))
}

/** One run of one subscription: nobody waits for it, and its failure is counted. */
class Observation implements Waiter {
  readonly #observer: Subscribed
  readonly #call: Call

  constructor(observer: Subscribed, call: Call) {
    this.#observer = observer
    this.#call = call
  }

  resolve(): void {}

  reject(error: Error): void {
    this.#observer.failures++
    // What a handler threw has been logged where it was thrown.
    if (error instanceof LuciliusError && error.code === 'LUC_ACTION_FAILED') return
    logFailure(this.#call, error, 'a subscription failed')
  }
}
