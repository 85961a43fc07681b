import type { Database } from './keys.js'

/** What is written at once, all of it or nothing; what reads through it sees it as written. */
export class Batch {
  readonly #database: Database
  readonly #changes = new Map<string, string | undefined>()
  readonly #afterwards: (() => void)[] = []
  #size = 0

  constructor(database: Database) {
    this.#database = database
  }

  /** About how many characters it has. */
  get size(): number {
    return this.#size
  }

  put(key: string, value: string): void {
    this.#changes.set(key, value)
    this.#size += key.length + value.length
  }

  delete(key: string): void {
    this.#changes.set(key, undefined)
    this.#size += key.length
  }

  /**
   * The value as it will be, undefined if there is none. Reads at once, because all that is read so was written a short
   * time ago: 3 µs, where a promise takes 40 µs.
   */
  get(key: string): string | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#database.getSync(key)
  }

  /** Calls back when it is written, before anybody who waits for it goes on. */
  onceWritten(callback: () => void): void {
    this.#afterwards.push(callback)
  }

  /** Writes it, to the disk itself if `sync`. */
  async write(sync: boolean): Promise<void> {
    const changes = [...this.#changes].map(([key, value]) =>
      value === undefined ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const),
    )
    if (changes.length > 0) await this.#database.batch(changes, { sync })
    for (const callback of this.#afterwards) callback()
  }
}
