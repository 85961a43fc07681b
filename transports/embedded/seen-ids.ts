import type { Batch } from './batch.js'
import { below, type Database, digits, seenKey } from './keys.js'

/**
 * The ids of events that were stored within a window of time.
 *
 * They lie in generations, each as long as the window: those of a generation that is over for a whole window are deleted
 * together, and nobody has to know when each came.
 */
export class SeenIds {
  readonly #database: Database
  readonly #windowMs: number
  /** When each generation began, oldest first. */
  readonly #starts: number[]
  #clearing: Promise<void> = Promise.resolve()

  private constructor(database: Database, windowMs: number, starts: number[]) {
    this.#database = database
    this.#windowMs = windowMs
    this.#starts = starts
  }

  static async open(database: Database, windowMs: number): Promise<SeenIds> {
    const starts: number[] = []
    const { gt, lt } = below('seen')
    for (let from = gt; ; ) {
      const [key] = await database.keys({ gt: from, lt, limit: 1 }).all()
      if (key === undefined) return new SeenIds(database, windowMs, starts)
      const start = key.slice(gt.length, gt.length + digits(0).length)
      starts.push(Number(start))
      from = below('seen', start).lt
    }
  }

  /** Tells whether an id is new within the window, and remembers it. */
  isNew(batch: Batch, id: string, now: number): boolean {
    for (const start of this.#starts.toReversed()) {
      const at = batch.get(seenKey(start, id))
      if (at === undefined) continue
      if (now - Number(at) < this.#windowMs) return false
      break // it was seen longer ago, and before that does not matter
    }
    batch.put(seenKey(this.#startFor(now), id), String(now))
    return true
  }

  /** Resolves when nothing is being deleted. */
  idle(): Promise<void> {
    return this.#clearing
  }

  #startFor(now: number): number {
    const latest = this.#starts.at(-1)
    if (latest !== undefined && Math.abs(now - latest) < this.#windowMs) return latest
    this.#forget(now)
    this.#starts.push(now)
    return now
  }

  /** A generation is over when the next one begins. */
  #forget(now: number): void {
    for (let at = this.#starts.length - 1; at >= 0; at--) {
      const end = this.#starts[at + 1] ?? now
      if (now - end < this.#windowMs) continue
      for (const start of this.#starts.splice(0, at + 1)) this.#clear(start)
      return
    }
  }

  #clear(start: number): void {
    const range = below('seen', digits(start))
    // What cannot be deleted now is deleted after the next start.
    this.#clearing = this.#clearing.then(() => this.#database.clear(range)).catch(() => {})
  }
}
