/** The texts that were added last, at most so many. */
export class Recent {
  readonly #most: number
  readonly #texts = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  add(text: string): void {
    this.#texts.add(text)
    if (this.#texts.size <= this.#most) return
    const [oldest] = this.#texts
    if (oldest !== undefined) this.#texts.delete(oldest)
  }

  has(text: string): boolean {
    return this.#texts.has(text)
  }
}
