import type { Logger } from '../logger.js'

/** Milliseconds that an act waits before that is told: most of those who are away are back by then. */
const LONG_MS = 1000

/** Milliseconds after which it is told again that acts of a pattern wait. */
const AGAIN_MS = 60_000

/** Patterns that are told of: a text with data in it is another pattern each time. */
const MOST = 1000

/** Acts of one pattern that wait. */
interface Waiting {
  count: number
  timer: NodeJS.Timeout
}

/** Warns, once a minute for each pattern, that acts wait for somebody who can answer them and is not connected. */
export class LongWaits {
  readonly #log: Logger
  readonly #waiting = new Map<string, Waiting>()
  /** When a pattern was told of, oldest first. */
  readonly #told = new Map<string, number>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** An act of a pattern begins to wait. Gives what is to be called once when it waits no more. */
  begin(pattern: string): () => void {
    const waiting = this.#waiting.get(pattern) ?? this.#watch(pattern)
    waiting.count++
    return () => {
      if (--waiting.count > 0) return
      clearTimeout(waiting.timer)
      this.#waiting.delete(pattern)
    }
  }

  #watch(pattern: string): Waiting {
    const waiting = { count: 0, timer: this.#later(pattern) }
    this.#waiting.set(pattern, waiting)
    return waiting
  }

  #later(pattern: string): NodeJS.Timeout {
    const toldAt = this.#told.get(pattern) ?? Number.NEGATIVE_INFINITY
    const ms = Math.max(LONG_MS, toldAt + AGAIN_MS - performance.now())
    return setTimeout(() => this.#tell(pattern), ms).unref()
  }

  #tell(pattern: string): void {
    this.#told.delete(pattern)
    const [oldest] = this.#told.keys()
    if (this.#told.size >= MOST && oldest !== undefined) this.#told.delete(oldest)
    this.#told.set(pattern, performance.now())
    this.#log.warn({ pattern }, `${pattern} waits: nobody who answers it is connected`)
    const waiting = this.#waiting.get(pattern)
    if (waiting !== undefined) waiting.timer = this.#later(pattern)
  }
}
