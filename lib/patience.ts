import { remainingMs, settleDeadline, startDeadline, type Waiting } from './deadline.js'

/** A wait of its own, for a message that no call stands for yet. */
export class Patience implements Waiting {
  readonly timeoutMs: number
  expiresAt = 0
  before: Waiting | undefined = undefined
  after: Waiting | undefined = undefined
  readonly #giveUp: () => void

  constructor(timeoutMs: number, giveUp: () => void) {
    this.timeoutMs = timeoutMs
    this.#giveUp = giveUp
    startDeadline(this)
  }

  expire(): void {
    this.#giveUp()
  }

  /** Ends the wait and tells how many milliseconds are left. */
  end(): number {
    const left = remainingMs(this)
    settleDeadline(this)
    return Math.max(1, left)
  }
}
