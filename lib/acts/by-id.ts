/** What an act is called by whoever sent it, until it is answered. */
export type ActId = number | string

/** How many places the ring has: as many acts as run on one connection by default. */
const PLACES = 256

/**
 * What is under way, by the id that the other end chose.
 *
 * Numbers have a place in a ring, where they meet only if they lie far apart; the rest stands in a Map. A Map alone,
 * where entries come and go, leaves one table after the other to the collector: a fifth of the CPU of the answering
 * process (`npm run bench -- remote`).
 */
export class ById<T extends { readonly id: ActId }> {
  #ring: (T | undefined)[] = []
  readonly #others = new Map<ActId, T>()
  size = 0

  find(id: unknown): T | undefined {
    if (typeof id === 'number') {
      const one = this.#ring[id % PLACES]
      if (one !== undefined && one.id === id) return one
    }
    return this.#others.size === 0 ? undefined : this.#others.get(id as ActId)
  }

  /** Adds one with an id that is not in use. */
  add(one: T): void {
    const { id } = one
    if (this.#ring.length === 0) this.#ring = new Array(PLACES).fill(undefined)
    this.size++
    if (typeof id === 'number' && this.#ring[id % PLACES] === undefined) this.#ring[id % PLACES] = one
    else this.#others.set(id, one)
  }

  /** Takes one away; harmless if it has gone. */
  remove(one: T): void {
    const { id } = one
    if (typeof id === 'number' && this.#ring[id % PLACES] === one) {
      this.#ring[id % PLACES] = undefined
      this.size--
    } else if (this.#others.get(id) === one) {
      this.#others.delete(id)
      this.size--
    }
  }

  /** Takes all away, and gives them. */
  clear(): T[] {
    const all = [...this.#ring, ...this.#others.values()].filter((one) => one !== undefined)
    this.#ring = []
    this.#others.clear()
    this.size = 0
    return all
  }
}
