/** Runs of observers that events of clients have started, and how many of them there may be. */
export class Crowd {
  readonly #most: number
  #runs = 0

  constructor(most: number) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.#runs >= this.#most
  }

  enter(runs: number): void {
    this.#runs += runs
  }

  leave(): void {
    this.#runs--
  }
}
