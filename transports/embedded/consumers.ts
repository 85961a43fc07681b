import type { StoreDelivery } from '../../lib/transport-kit.js'
import type { Entry } from './entry.js'

/** An instance that serves a subscription. */
export class Consumer {
  readonly deliver: (delivery: StoreDelivery) => void
  /** What was given to it and was not ended. */
  readonly running = new Set<Entry>()
  /** Called when it is stopped and has ended all it had. */
  onRetired: (() => void) | undefined
  readonly #concurrency: number
  #isStopped = false

  constructor(concurrency: number, deliver: (delivery: StoreDelivery) => void) {
    this.#concurrency = concurrency
    this.deliver = deliver
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  get isFree(): boolean {
    return !this.#isStopped && this.running.size < this.#concurrency
  }

  stop(): void {
    this.#isStopped = true
  }
}

/** The instances that serve one subscription, until they are stopped and have ended all they had. */
export class Consumers {
  #all: Consumer[] = []

  /** How many deliveries are under way. */
  get running(): number {
    return this.#all.reduce((sum, { running }) => sum + running.size, 0)
  }

  /** Whether some instance takes what comes. */
  get isServed(): boolean {
    return this.#all.some(({ isStopped }) => !isStopped)
  }

  add(consumer: Consumer): void {
    this.#all.push(consumer)
  }

  /** Who gets the next one: in turn, or, in order, the first instance only, until nothing is under way there. */
  free(ordered: boolean): Consumer | undefined {
    if (ordered) return this.#all[0]?.isFree ? this.#all[0] : undefined
    const found = this.#all.find(({ isFree }) => isFree)
    if (found !== undefined && this.#all.length > 1) this.#all = [...this.#all.filter((one) => one !== found), found]
    return found
  }

  /** Forgets an instance that is stopped and has ended all it had. */
  retire(consumer: Consumer): void {
    if (!consumer.isStopped || consumer.running.size > 0) return
    this.#all = this.#all.filter((one) => one !== consumer)
    consumer.onRetired?.()
  }

  /** Forgets them all: what they have under way is ended in vain. */
  dismiss(): void {
    for (const consumer of this.#all) {
      consumer.stop()
      consumer.running.clear()
      consumer.onRetired?.()
    }
    this.#all = []
  }
}
