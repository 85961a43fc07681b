/**
 * Follows `JSON.stringify` from inside its replacer: knows the path to the value at hand, and whether that value stands
 * inside itself.
 */
export class StringifyTrail {
  readonly #holders: unknown[] = []
  readonly #path: (string | number)[] = []

  /**
   * Takes what a replacer gets (its `this`, key and value), for each call in turn.
   * Gives true if the value is one of those it stands in.
   */
  enter(holder: unknown, key: string, value: unknown): boolean {
    if (this.#holders.length === 0) this.#holders.push(holder)
    while (this.#holders.length > 1 && this.#holders.at(-1) !== holder) this.#holders.pop()
    this.#path.length = this.#holders.length - 1
    this.#path.push(Array.isArray(holder) ? Number(key) : key)
    if (typeof value !== 'object' || value === null) return false
    if (this.#holders.includes(value)) return true
    this.#holders.push(value)
    return false
  }

  /** The keys and indices that lead from the root to the value entered last. */
  path(): readonly (string | number)[] {
    return this.#path.slice(1)
  }
}
