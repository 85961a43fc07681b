/** How long and how many. */
export interface RepliesOptions {
  readonly ttlMs: number
  readonly max: number
  readonly now: () => number
}

/** A reply, and whether there was one: `undefined` is a reply too. */
export interface Remembered {
  readonly reply: unknown
  readonly until: number
}

/** A run whose reply others wait for. It ends once, and tells `abandoned` if its caller gave up. */
export type Run = Promise<Ended>

/** How a run ended. */
export type Ended = { readonly reply: unknown } | { readonly error: unknown } | 'abandoned'

/** Remembered replies, the one that was not asked for longest first, and the runs that are under way. */
export class Replies {
  readonly #options: RepliesOptions
  readonly #kept = new Map<string, Remembered>()
  readonly #runs = new Map<string, Run>()

  constructor(options: RepliesOptions) {
    this.#options = options
  }

  get(key: string): Remembered | undefined {
    const known = this.#kept.get(key)
    if (known === undefined) return undefined
    this.#kept.delete(key)
    if (known.until <= this.#options.now()) return undefined
    this.#kept.set(key, known)
    return known
  }

  run(key: string): Run | undefined {
    return this.#runs.get(key)
  }

  begin(key: string, run: Run): void {
    this.#runs.set(key, run)
  }

  /** Takes the end of a run. A run that was forgotten in the meantime leaves nothing behind. */
  end(key: string, run: Run, ended: Ended): void {
    if (this.#runs.get(key) !== run) return
    this.#runs.delete(key)
    if (ended === 'abandoned' || 'error' in ended) return
    this.#kept.set(key, { reply: ended.reply, until: this.#options.now() + this.#options.ttlMs })
    if (this.#kept.size <= this.#options.max) return
    // There is one: the map is not empty.
    this.#kept.delete(this.#kept.keys().next().value as string)
  }

  clear(): void {
    this.#kept.clear()
    this.#runs.clear()
  }
}
