import type { WireError } from '../transport.js'
import { RetryBudget } from './retry-budget.js'

/** How calls of idempotent actions are tried again when nobody knows whether they were handled. */
export interface RetryOptions {
  /** Tries altogether: 3. 1 switches it off. */
  readonly attempts?: number
  /** Tries that the calls of the last ten seconds earn: 0.1, one for every ten calls. */
  readonly ratio?: number
  /** Tries that each of the last ten seconds earns: 3. */
  readonly perSecond?: number
}

/** The longest wait before the second try, in ms; doubled for each one after it. */
const BACKOFF_MS = 50

/**
 * Decides on second tries: within a number of attempts, after a random wait, and within a budget, so that trying again
 * never multiplies the load on a system that is in trouble.
 */
export class Retry {
  readonly #attempts: number
  readonly #budget: RetryBudget

  constructor({ attempts, ratio, perSecond }: Required<RetryOptions>) {
    this.#attempts = attempts
    this.#budget = new RetryBudget(ratio, perSecond)
  }

  /** A call was made: it earns a fraction of a try. */
  called(): void {
    this.#budget.earn()
  }

  /** Whether to try again after this error; resolves after the wait. `tries` counts those made. */
  async may(error: WireError, tries: number): Promise<boolean> {
    if (error.handled !== 'unknown' || error.code === 'LUC_CANCELLED' || error.code === 'LUC_DEADLINE_EXCEEDED')
      return false
    if (tries >= this.#attempts || !this.#budget.spend()) return false
    const most = BACKOFF_MS * 2 ** (tries - 1)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * most))
    return true
  }
}
