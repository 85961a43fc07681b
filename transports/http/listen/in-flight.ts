/** Counts what runs for each peer or socket, up to a bound. */
export class InFlight {
  readonly #max: number
  readonly #counts = new WeakMap<object, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** Lets one more in; false if as many run as may. */
  enter(owner: object): boolean {
    const count = this.#counts.get(owner) ?? 0
    if (count >= this.#max) return false
    this.#counts.set(owner, count + 1)
    return true
  }

  /** One that was let in has ended. */
  leave(owner: object): void {
    this.#counts.set(owner, (this.#counts.get(owner) ?? 1) - 1)
  }
}
