/** How often a process may die, and how long each restart waits. */
export interface RestartLimits {
  /** Milliseconds before the first restart; doubled for each one after it. */
  readonly firstMs: number
  /** The most milliseconds before a restart. */
  readonly mostMs: number
  /** Milliseconds of health after which the wait starts anew. */
  readonly healthyMs: number
  /** So many restarts within `withinMs` are one too few for the next death. */
  readonly restarts: number
  /** The window, in milliseconds, in which restarts are counted. */
  readonly withinMs: number
}

/** Restart after 0.1 to 5 s, give up when a process dies again after 5 restarts within 30 s. */
export const restartLimits: RestartLimits = Object.freeze({
  firstMs: 100,
  mostMs: 5_000,
  healthyMs: 30_000,
  restarts: 5,
  withinMs: 30_000,
})

/** Decides when a process that died is started again: back-off and restart intensity, as in OTP. */
export class Restarts {
  readonly #limits: RestartLimits
  readonly #now: () => number
  /** When it was started again, the latest last; never more than count. */
  #times: number[] = []
  #waitMs: number
  #readyAt: number | undefined

  /** `now` gives milliseconds of a clock that never goes back. */
  constructor(limits: RestartLimits = restartLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
    this.#waitMs = limits.firstMs
  }

  /** It is ready: its health counts from here. */
  ready(): void {
    this.#readyAt = this.#now()
  }

  /** It died unasked. Gives the milliseconds to wait before the restart, or undefined: give up. */
  died(): number | undefined {
    const { firstMs, mostMs, healthyMs, restarts, withinMs } = this.#limits
    const now = this.#now()
    if (this.#readyAt !== undefined && now - this.#readyAt >= healthyMs) this.#waitMs = firstMs
    this.#readyAt = undefined
    this.#times = this.#times.filter((time) => now - time < withinMs)
    if (this.#times.length >= restarts) return undefined
    const waitMs = this.#waitMs
    this.#waitMs = Math.min(waitMs * 2, mostMs)
    this.#times.push(now + waitMs)
    return waitMs
  }
}
