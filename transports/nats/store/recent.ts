/** The numbers that were added last, at most so many. */
export class Recent {
  readonly #most: number
  readonly #numbers = new Set<number>()

  constructor(most: number) {
    this.#most = most
  }

  add(number: number): void {
    this.#numbers.add(number)
    if (this.#numbers.size <= this.#most) return
    const [oldest] = this.#numbers
    if (oldest !== undefined) this.#numbers.delete(oldest)
  }

  has(number: number): boolean {
    return this.#numbers.has(number)
  }
}
