/**
 * Remembers values by text, never more than twice `max` of them.
 *
 * Two generations: when the young one is full it becomes the old one, and the old one is dropped at once. What is read
 * moves to the young one, so values in use stay. That costs one look-up and no list, where a strict LRU needs both.
 */
export class BoundedMemo<V> {
  readonly #max: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  constructor(max: number) {
    this.#max = max
  }

  /** The remembered value, or `undefined` if it was never set or has been dropped. */
  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  /** Remembers a value, and may drop those that were not used for long. */
  set(key: string, value: V): void {
    if (this.#young.size >= this.#max && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}
