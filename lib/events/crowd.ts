import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'

/** Runs of observers that events of clients have started, and how many of them there may be. */
export class Crowd {
  readonly #most: number
  readonly #log: Logger
  #runs = 0
  #hasWarned = false

  constructor(most: number, log: Logger) {
    this.#most = most
    this.#log = log
  }

  /** Throws `LUC_OVERLOADED` when there is no room for another event; the first time it is logged. */
  check(): void {
    if (this.#runs < this.#most) return
    if (!this.#hasWarned) {
      this.#hasWarned = true
      this.#log.warn({ maxClientEvents: this.#most }, 'events of clients are refused: more come in than are observed')
    }
    throw new LuciliusError('LUC_OVERLOADED', 'Too many events of clients are being observed.')
  }

  enter(runs: number): void {
    this.#runs += runs
  }

  leave(): void {
    this.#runs--
  }
}
