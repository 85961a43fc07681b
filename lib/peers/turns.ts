/** Lets so many go at once. The others wait, in the order in which they came. */
export class Turns {
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(most: number) {
    this.#free = most
  }

  /** Calls `go` when there is room, perhaps at once. Whoever was called calls `end`, once. */
  take(go: () => void): void {
    if (this.#free === 0) {
      this.#waiting.add(go)
      return
    }
    this.#free--
    go()
  }

  /** Whoever waits does not want to go any more. */
  giveUp(go: () => void): void {
    this.#waiting.delete(go)
  }

  /** Somebody has made room. */
  end(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
