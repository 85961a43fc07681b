import { toEmitOptions } from '../dispatch/act-options.js'
import { Call, type Origin } from '../dispatch/call.js'
import type { Within } from '../dispatch/context.js'
import type { Dispatcher, Rules } from '../dispatch/dispatcher.js'
import { launchFor } from '../dispatch/launch.js'
import { tooManyHops } from '../dispatch/refusals.js'
import { LuciliusError } from '../errors.js'
import type { Message } from '../message.js'
import { portableCopy } from '../portable.js'
import { Declarations, type Declared } from './declarations.js'
import { Durables } from './durables.js'
import type { Emission } from './emission.js'
import { Holding } from './holding.js'
import { Latecomers } from './latecomers.js'
import { Observation } from './observation.js'
import type { Runner } from './serving.js'
import type { StoreLife } from './store-life.js'
import { toStored } from './stored.js'
import { StoredRuns } from './stored-runs.js'
import { type Subscribed, Subscriptions } from './subscriptions.js'
import { Unread } from './unread.js'

/** An event and who is to observe it. */
interface Due {
  readonly observers: readonly Subscribed[]
  readonly emission: Emission
  /** Nobody else has the message: it was read from a wire. */
  readonly isOurs: boolean
}

/** Sends an event on to the peers that observe it, except for services that an instance here has taken. */
export type Outlet = (emission: Emission, taken: ReadonlySet<string>) => void

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
  readonly #storedRuns: StoredRuns
  readonly #unread: Unread
  /** Events that wait for observers that are being exchanged. */
  #holding: Holding | undefined
  /** What is to be started. */
  #due: Due[] = []

  constructor(dispatcher: Dispatcher, rules: EventRules, store: StoreLife, outlet: Outlet) {
    this.#dispatcher = dispatcher
    this.#rules = rules
    this.#store = store
    this.#outlet = outlet
    this.#latecomers = new Latecomers(rules.park.max)
    this.#within = {
      act: (call, first, data, options) => dispatcher.act(call, first, data, options),
      emit: (call, first, data, options) => this.emit(call, first, data, options),
      prior: () => Promise.resolve(undefined),
    }
    const { books } = dispatcher
    this.#unread = new Unread(books)
    const storedRuns = new StoredRuns(this.#unread, rules, this.#within)
    this.#storedRuns = storedRuns
    const runner: Runner = {
      instance: rules.instance,
      run: (...attempt) => storedRuns.attempt(...attempt),
      began: () => books.began(),
      ended: () => books.ended(),
    }
    this.durables = new Durables(runner, (question) => store.ask(question))
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
    this.#holding = new Holding(isHeld, max)
  }

  /** Hands on what was kept, in the order of emission, to those of the new observers that were picked before. */
  release(isNew: (observer: Subscribed) => boolean): void {
    const holding = this.#holding
    this.#holding = undefined
    const newOnes = ({ message }: Emission) => this.subscriptions.matching(message).filter(isNew)
    holding?.handOn(newOnes, (due) => this.#startSoon({ ...due, isOurs: false }))
  }

  /** Observers start in a microtask: `emit` never runs one, and first emitted is first started. */
  #startSoon(given: Due): void {
    const { emission } = given
    const holding = this.#holding
    const due =
      holding === undefined ? given : { observers: holding.keep(given.observers, emission), emission, isOurs: false }
    if (due.observers.length === 0) return
    emission.crowd?.enter(due.observers.length)
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
    const { message, origin, hops, id, traceparent, crowd } = emission
    if (this.#latecomers.size > 0 && this.#latecomers.holds(observer, () => this.#observeLater(observer, emission))) {
      crowd?.leave()
      return
    }
    const { action } = observer
    // In production each observer gets an object of its own, so that none sees what another does to it.
    const own = isShared && !this.#rules.strict ? { ...message } : message
    const call = new Call(this.#unread, action, own, undefined, hops, this.#rules.timeoutMs, origin)
    call.continues(id, traceparent)
    launchFor(new Observation(observer, call, crowd), call, action.run, this.#within)
  }

  #observeLater(observer: Subscribed, emission: Emission): void {
    emission.crowd?.enter(1)
    this.#observe(observer, emission, true)
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
      this.#storedRuns.observeLate(observer, event)
    })
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
