/** Milliseconds of silence after which a change is complete: editors and git write several files, and one in pieces. */
const QUIET_MS = 40

/** Milliseconds after which it is told, silence or not. */
const LONGEST_MS = 500

/** Files that have changed and were not taken yet. */
export class Changes {
  readonly #files = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #since = 0
  #isComplete = false
  #wake: () => void = () => {}
  #complete: Promise<void> | undefined

  /** Notes that a file has changed. */
  push(file: string): void {
    const now = performance.now()
    if (this.#files.size === 0) this.#since = now
    this.#files.add(file)
    clearTimeout(this.#timer)
    const waitMs = Math.max(0, Math.min(QUIET_MS, this.#since + LONGEST_MS - now))
    this.#timer = setTimeout(() => {
      this.#isComplete = true
      this.#wake()
    }, waitMs)
  }

  /** Resolves when there is something to take. */
  wait(): Promise<void> {
    if (this.#isComplete) return Promise.resolve()
    this.#complete ??= new Promise((resolve) => {
      this.#wake = resolve
    })
    return this.#complete
  }

  /** Takes what has changed. */
  take(): readonly string[] {
    const files = [...this.#files]
    clearTimeout(this.#timer)
    this.#files.clear()
    this.#isComplete = false
    this.#complete = undefined
    this.#wake = () => {}
    return files
  }
}
