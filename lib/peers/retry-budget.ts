/** How far back calls and seconds count, in ms. */
const WINDOW_MS = 10_000

/**
 * How many second tries may be made: a share of the calls of the last seconds, and a number for each second.
 *
 * Both fade with the window, as an exponentially weighted sum does: calls of an hour ago pay for nothing now. So a burst
 * of lost replies, as when a peer is killed under load, is tried again at once, while tries over a long outage stay
 * within the share.
 */
export class RetryBudget {
  readonly #ratio: number
  readonly #perSecond: number
  #tries: number
  #calls = 0
  #at = performance.now()

  /** Begins with what an app without calls has earned. */
  constructor(ratio: number, perSecond: number) {
    this.#ratio = ratio
    this.#perSecond = perSecond
    this.#tries = (perSecond * WINDOW_MS) / 1000
  }

  /** A call was made. */
  earn(): void {
    this.#calls++
  }

  /** Takes one try, if there is one. */
  spend(): boolean {
    const now = performance.now()
    const ms = now - this.#at
    const earned = this.#calls * this.#ratio + (ms * this.#perSecond) / 1000
    const kept = Math.exp(-ms / WINDOW_MS)
    // What was earned evenly over these ms has faded by what was earned when.
    const keptOfEarned = ms > 0 ? ((1 - kept) * WINDOW_MS) / ms : 1
    this.#tries = this.#tries * kept + earned * keptOfEarned
    this.#calls = 0
    this.#at = now
    if (this.#tries < 1) return false
    this.#tries--
    return true
  }
}
