import type { Books } from '../dispatch/books.js'
import type { Call, Ledger } from '../dispatch/call.js'

/** The books of runs whose replies nobody reads: what an observer gives back is dropped, whatever it is. */
export class Unread implements Ledger {
  readonly #books: Books

  constructor(books: Books) {
    this.#books = books
  }

  began(): void {
    this.#books.began()
  }

  ended(): void {
    this.#books.ended()
  }

  deliver(): undefined {}

  blame(thrown: unknown, call: Call): Error {
    return this.#books.blame(thrown, call)
  }
}
