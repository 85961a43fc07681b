import type { WireError } from '../transport.js'

/** How calls of idempotent actions are tried again when nobody knows whether they were handled. */
export interface RetryOptions {
  /** Tries altogether: 3. 1 switches it off. */
  readonly attempts?: number
  /** Tries that calls earn for those after them: 0.1, one for every ten calls. */
  readonly ratio?: number
  /** Tries that every second earns: 3. */
  readonly perSecond?: number
}

/** The longest wait before the second try, in ms; doubled for each one after it. */
const BACKOFF_MS = 50

/** The most tries that are saved up, in seconds of earning. */
const SAVED_SECONDS = 10

/**
 * Decides on second tries: within a number of attempts, after a random wait, and within a budget, so that trying again
 * never multiplies the load on a system that is in trouble.
 */
export class Retry {
  readonly #options: Required<RetryOptions>
  #tokens: number
  #at = performance.now()

  constructor(options: Required<RetryOptions>) {
    this.#options = options
    this.#tokens = options.perSecond
  }

  /** A call was made: it earns a fraction of a try. */
  called(): void {
    this.#tokens += this.#options.ratio
  }

  /** Whether to try again after this error; resolves after the wait. `tries` counts those made. */
  async may(error: WireError, tries: number): Promise<boolean> {
    if (error.handled !== 'unknown' || error.code === 'LUC_CANCELLED' || error.code === 'LUC_DEADLINE_EXCEEDED')
      return false
    if (tries >= this.#options.attempts || !this.#spend()) return false
    const most = BACKOFF_MS * 2 ** (tries - 1)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * most))
    return true
  }

  #spend(): boolean {
    const now = performance.now()
    const { perSecond } = this.#options
    const earned = (perSecond * (now - this.#at)) / 1000
    this.#at = now
    this.#tokens = Math.min(this.#tokens + earned, Math.max(perSecond, 1) * SAVED_SECONDS)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
