/** The most ids that are remembered, whatever their age. */
const MOST = 100_000

/** Remembers ids for a while, so that what comes twice is done once. */
export class SeenIds {
  readonly #windowMs: number
  readonly #now: () => number
  /** When each was seen, oldest first. */
  readonly #at = new Map<string, number>()

  constructor(windowMs: number, now: () => number = () => performance.now()) {
    this.#windowMs = windowMs
    this.#now = now
  }

  add(id: string): void {
    this.#at.delete(id)
    this.#at.set(id, this.#now())
    this.#forget()
  }

  has(id: string): boolean {
    const at = this.#at.get(id)
    return at !== undefined && this.#now() - at <= this.#windowMs
  }

  #forget(): void {
    const since = this.#now() - this.#windowMs
    for (const [id, at] of this.#at) {
      if (at >= since && this.#at.size <= MOST) return
      this.#at.delete(id)
    }
  }
}
