import { patternMatches } from '../covers.js'
import type { DurableSubscription, OpenStore, ServedSubscription, StoreDelivery } from '../store.js'
import type { Durable } from './durable.js'
import { OpenDeliveries, type Witness } from './open-deliveries.js'
import type { SeenIds } from './seen-ids.js'
import { type HandlerRunner, Works } from './works.js'

/** How many deliveries an ordered subscription has in hand at least: behind those of a key that waits are those of others. */
const ORDERED_WINDOW = 256

/** What serving needs of the app. */
export interface Runner extends HandlerRunner, Witness {}

/** One durable subscription, served by this instance until it is stopped: takes what the store delivers. */
export class Serving {
  readonly durable: Durable
  readonly #deliveries: OpenDeliveries
  readonly #works: Works
  /** Deliveries that wait until handlers may run. */
  #held: StoreDelivery[] | undefined = []
  #served: ServedSubscription | undefined
  #stopping: Promise<void> | undefined
  #ended: Promise<void> | undefined
  #isServed = false
  #isStopped = false

  /** `seen` has the events that this instance has handled. */
  constructor(durable: Durable, runner: Runner, seen: SeenIds) {
    const { action, name } = durable
    this.durable = durable
    this.#deliveries = new OpenDeliveries(runner, (error) => {
      action.log.error({ subscription: name, err: error }, 'the store failed to end a delivery')
    })
    this.#works = new Works(durable, runner, this.#deliveries, seen)
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** What the store is told of it. */
  get subscription(): DurableSubscription {
    const { name, pattern, orderBy, concurrency } = this.durable
    return {
      name,
      pattern: pattern.text,
      matches: (message) => patternMatches(pattern, message),
      ordered: orderBy !== undefined,
      concurrency: orderBy === undefined ? concurrency : Math.max(concurrency, ORDERED_WINDOW),
    }
  }

  /** Begins to take deliveries. They wait until `go`. */
  async serve(store: OpenStore): Promise<void> {
    if (this.#isStopped || this.#isServed) return
    this.#isServed = true
    try {
      this.#served = await store.serve(this.subscription, (delivery) => this.#take(delivery))
    } catch (error) {
      this.#isServed = false
      throw error
    }
    if (this.#isStopped) await this.#stopServed()
  }

  /** Handlers may run. */
  go(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const delivery of held) this.#works.admit(delivery)
  }

  /**
   * Takes no more, and gives back what has not started; what is behind a running one of its key once that has ended, so
   * that no other instance overtakes it. Resolves when nothing new will come.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Stops, and resolves when nothing is under way any more. */
  ended(): Promise<void> {
    this.#ended ??= this.stop().then(() => this.#deliveries.emptied())
    return this.#ended
  }

  /** Gives up what still runs: it goes to another instance. */
  abort(): void {
    this.#works.abort()
  }

  async #stop(): Promise<void> {
    this.#isStopped = true
    this.#works.stop()
    this.go() // What was held is given back.
    await this.#stopServed()
  }

  async #stopServed(): Promise<void> {
    try {
      await this.#served?.stop()
    } catch (error) {
      const { action, name } = this.durable
      action.log.warn({ subscription: name, err: error }, 'the store failed to stop a subscription')
    }
  }

  #take(delivery: StoreDelivery): void {
    this.#deliveries.add(delivery)
    if (this.#held === undefined) this.#works.admit(delivery)
    else this.#held.push(delivery)
  }
}
