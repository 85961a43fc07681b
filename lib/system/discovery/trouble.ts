import type { Logger } from '../../logger.js'

/** Tells an operator what keeps a provider from working: each kind of trouble once, and when all of it is over. */
export class Trouble {
  readonly #log: Logger
  readonly #what: string
  /** Who has which kind of trouble. */
  readonly #kinds = new Map<string, string>()

  constructor(log: Logger, what: string) {
    this.#log = log
    this.#what = what
  }

  /** One of the things that a provider does has failed: an `error` is one that somebody has to mend. */
  met(who: string, kind: string, message: string, level: 'warn' | 'error' = 'warn'): void {
    const isTold = [...this.#kinds.values()].includes(kind)
    this.#kinds.set(who, kind)
    this.#log[isTold ? 'debug' : level](message)
  }

  /** It has worked. */
  over(who: string): void {
    if (this.#kinds.delete(who) && this.#kinds.size === 0) this.#log.info(`${this.#what} answers`)
  }
}
