/** Remembers what was there before, for so long, and at most so many. */
export class Nonces {
  /** The moment until which each is remembered, the first first. */
  readonly #until = new Map<string, number>()
  readonly #keepMs: number
  readonly #max: number

  constructor(keepMs: number, max: number) {
    this.#keepMs = keepMs
    this.#max = max
  }

  /** Whether it is new; from now on it is not. `now` is a moment of a clock that never goes back. */
  isNew(nonce: string, now: number): boolean {
    this.#forget(now)
    if (this.#until.has(nonce)) return false
    this.#until.set(nonce, now + this.#keepMs)
    return true
  }

  #forget(now: number): void {
    for (const [nonce, until] of this.#until) {
      if (until > now && this.#until.size < this.#max) return
      this.#until.delete(nonce)
    }
  }
}
