import { toEmitOptions } from '../dispatch/act-options.js'
import type { Action } from '../dispatch/action.js'
import { Call, type Ledger, type Origin, type Waiter } from '../dispatch/call.js'
import type { Within } from '../dispatch/context.js'
import { noteDelivery } from '../dispatch/delivery.js'
import type { Dispatcher, Rules } from '../dispatch/dispatcher.js'
import { launchFor } from '../dispatch/launch.js'
import { logFailure } from '../dispatch/log-failure.js'
import { tooManyHops } from '../dispatch/refusals.js'
import { LuciliusError } from '../errors.js'
import type { Delivery } from '../handler.js'
import { thrownError } from '../hook.js'
import type { Message } from '../message.js'
import { portableCopy } from '../portable.js'
import type { StoredEvent } from '../store.js'
import { Declarations, type Declared } from './declarations.js'
import type { Durable } from './durable.js'
import { Durables } from './durables.js'
import type { Emission } from './emission.js'
import { Latecomers } from './latecomers.js'
import type { StoreLife } from './store-life.js'
import { toStored } from './stored.js'
import { type Subscribed, Subscriptions } from './subscriptions.js'

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

/** What events keep to, beyond what acts do. */
interface EventRules extends Rules {
  readonly instance: string
  readonly park: { readonly max: number }
}

/** Hands events to their observers here and at peers, and never waits for one. */
export class Events {
  readonly subscriptions = new Subscriptions()
  readonly declarations = new Declarations()
  readonly durables: Durables
  readonly #latecomers: Latecomers
  readonly #store: StoreLife
  readonly #dispatcher: Dispatcher
  readonly #rules: EventRules
  readonly #outlet: Outlet
  readonly #within: Within
  #held: Held | undefined
  /** What is to be started. */
  #due: Due[] = []

  constructor(dispatcher: Dispatcher, rules: EventRules, store: StoreLife, outlet: Outlet) {
    this.#dispatcher = dispatcher
    this.#rules = rules
    this.#store = store
    this.#outlet = outlet
    this.#latecomers = new Latecomers(rules.park.max)
    const { books } = dispatcher
    const runner = {
      instance: rules.instance,
      run: (...attempt: Parameters<Events['attempt']>) => this.attempt(...attempt),
      began: () => books.began(),
      ended: () => books.ended(),
    }
    this.durables = new Durables(runner, (question) => store.ask(question))
    this.#within = {
      act: (call, first, data, options) => dispatcher.act(call, first, data, options),
      emit: (call, first, data, options) => this.emit(call, first, data, options),
      prior: () => Promise.resolve(undefined),
    }
  }

  /**
   * Emits a message. Resolves once it is stored, if it is declared so, and handed over; rejects when it could not be stored,
   * or the message itself is wrong or has come by too many hops. Observers of one instance start in the order of emission.
   */
  emit(parent: Call | undefined, first: unknown, data: unknown, options: unknown): Promise<void> {
    try {
      const wish = options === undefined ? undefined : toEmitOptions(options)
      const emission = this.#emission(parent, first, data, wish?.identity)
      const declared = this.declarations.size === 0 ? undefined : this.declarations.of(emission.message)
      if (declared?.durable !== true && this.durables.size > 0) this.durables.warnOfUndeclared(emission.message)
      if (declared !== undefined) return this.#keepInStore(declared, emission, parent, wish?.id)
      this.#handOver(emission)
      return HANDED_OVER
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #emission(parent: Call | undefined, first: unknown, data: unknown, identity: unknown): Emission {
    const made = this.#dispatcher.messageOf(first, data)
    const message = this.#rules.strict ? (portableCopy(made, 'message') as Message) : made
    const hops = parent === undefined ? 1 : parent.hops + 1
    if (hops > this.#rules.maxHops) throw tooManyHops('The event', this.#rules.maxHops)
    const inherited = parent?.origin ?? NOBODY
    const origin = identity === undefined ? inherited : { ...inherited, identity }
    return { message, origin, hops, id: parent?.id, traceparent: parent?.traceparent }
  }

  #handOver(emission: Emission): void {
    const observers = this.subscriptions.matching(emission.message)
    this.#startSoon({ observers, emission, isOurs: false })
    this.#outlet(emission, servicesOf(observers))
  }

  /** The app waits for it when it closes, whoever else does. */
  async #keepInStore(
    declared: Declared,
    emission: Emission,
    parent: Call | undefined,
    id: string | undefined,
  ): Promise<void> {
    const stored = toStored(declared, emission, id)
    const timeoutMs = parent === undefined ? this.#rules.timeoutMs : parent.remainingMs
    if (timeoutMs <= 0) throw emittedTooLate(declared)
    const { books } = this.#dispatcher
    books.began()
    try {
      await this.#store.append(stored, timeoutMs, () => this.durables.known())
    } finally {
      books.ended()
    }
    this.#handOver({ ...emission, message: stored.message, traceparent: stored.meta.traceparent })
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

  #observe(observer: Subscribed, emission: Emission, isShared: boolean): void {
    if (this.#latecomers.size > 0 && this.#latecomers.holds(observer, () => this.#observe(observer, emission, true)))
      return
    const { message, origin, hops, id, traceparent } = emission
    const { action } = observer
    // In production each observer gets an object of its own, so that none sees what another does to it.
    const own = isShared && !this.#rules.strict ? { ...message } : message
    const call = new Call(this.#dispatcher.books, action, own, undefined, hops, this.#rules.timeoutMs, origin)
    call.continues(id, traceparent)
    launchFor(new Observation(observer, call), call, action.run, this.#within)
  }

  /**
   * Fetches what is retained for observers that have just come, within a time limit. Gives the function that hands it over;
   * what is emitted meanwhile comes after it. Rejects as a store that fails to open does.
   */
  catchUp(observers: readonly Subscribed[]): Promise<() => void> {
    const matching = (message: Message) => this.subscriptions.matching(message)
    const fetch = async (matches: (message: Message) => boolean) =>
      (await this.#store.mayHold()) ? this.#store.ask((store) => store.retained(matches)) : []
    return this.#latecomers.catchUp(observers, matching, fetch, (observer, event) => {
      const call = this.#callOf(this.#dispatcher.books, observer.action, event, this.#rules.timeoutMs)
      noteDelivery(call, { id: event.id, attempt: 1, firstAt: event.at, retained: true })
      launchFor(new Observation(observer, call), call, observer.action.run, this.#within)
    })
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

  /** A call of a handler on an event that was stored. */
  #callOf(ledger: Ledger, action: Action, { id, message, meta }: StoredEvent, timeoutMs: number): Call {
    const own = this.#rules.strict ? (portableCopy(message, 'message') as Message) : { ...message }
    const { hops = 1, identity, traceparent } = meta
    const origin = identity === undefined ? NOBODY : Object.freeze({ identity: portableCopy(identity, 'message') })
    const call = new Call(ledger, action, own, undefined, hops, timeoutMs, origin)
    call.continues(id, traceparent)
    return call
  }
}

function emittedTooLate({ pattern }: Declared): LuciliusError {
  return new LuciliusError(
    'LUC_DEADLINE_EXCEEDED',
    `An event of ${pattern.text} was not stored: the deadline had passed.`,
    {
      handled: 'no',
    },
  )
}

const HANDED_OVER = Promise.resolve()
const NOBODY: Origin = Object.freeze({})
const NO_SERVICE: ReadonlySet<string> = new Set()

/** The services of which an instance here has taken an event. */
function servicesOf(observers: readonly Subscribed[]): ReadonlySet<string> {
  if (observers.length === 0) return NO_SERVICE
  return new Set(observers.filter(({ each }) => !each).map(({ service }) => service))
}

/** Attempts are accounted for by their deliveries, what they give back is dropped, and what they throw is told as it is. */
const ATTEMPTS: Ledger = {
  began: () => {},
  ended: () => {},
  deliver: () => undefined,
  blame: thrownError,
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
