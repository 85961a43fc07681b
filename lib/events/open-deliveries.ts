import type { StoreDelivery, Verdict } from '../store.js'

/** How often a store is told that a delivery is still at work. */
const BEAT_MS = 1000

/** Who is told of deliveries. */
export interface Witness {
  /** A delivery is under way, and was ended: whoever drains waits for it. */
  began(): void
  ended(): void
}

/** Deliveries of one subscription that are in hand: the store hears that they are, until it has the end of each in writing. */
export class OpenDeliveries {
  readonly #witness: Witness
  readonly #failed: (error: unknown) => void
  /** Those that have not been ended. */
  readonly #open = new Set<StoreDelivery>()
  #beat: NodeJS.Timeout | undefined
  /** How many have no end in writing. */
  #unended = 0
  #onEmpty: (() => void) | undefined

  /** `failed` hears of a store that fails to end one, which it must not. */
  constructor(witness: Witness, failed: (error: unknown) => void) {
    this.#witness = witness
    this.#failed = failed
  }

  add(delivery: StoreDelivery): void {
    this.#witness.began()
    this.#unended++
    this.#open.add(delivery)
    this.#beat ??= setInterval(() => this.#extend(), BEAT_MS)
  }

  /** Ends some. Resolves when the store has that in writing, or cannot have it: then it delivers them again. */
  async end(deliveries: readonly StoreDelivery[], verdict: Verdict): Promise<void> {
    for (const delivery of deliveries) this.#open.delete(delivery)
    if (this.#open.size === 0) {
      clearInterval(this.#beat)
      this.#beat = undefined
    }
    try {
      await Promise.all(deliveries.map((delivery) => delivery.end(verdict)))
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#unended -= deliveries.length
      for (const _ of deliveries) this.#witness.ended()
      if (this.#unended === 0) this.#onEmpty?.()
    }
  }

  /** Resolves when the end of each is in writing. To be asked once, when nothing new comes. */
  async emptied(): Promise<void> {
    if (this.#unended === 0) return
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
  }

  #extend(): void {
    for (const delivery of this.#open) delivery.extend()
  }
}
