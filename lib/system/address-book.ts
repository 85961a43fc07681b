/** Where the processes of a system listen for each other, as far as it is known. Addresses come, go and change. */
export class AddressBook {
  readonly #urls = new Map<string, string | undefined>()
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #onId = new Set<(id: string) => void>()

  constructor(addresses: Iterable<readonly [id: string, url: string | undefined]> = []) {
    for (const [id, url] of addresses) this.#urls.set(id, url)
  }

  /** The processes that were ever named, in the order in which they came. */
  ids(): readonly string[] {
    return [...this.#urls.keys()]
  }

  /** Where a process listens; undefined while it is not known. */
  urlOf(id: string): string | undefined {
    return this.#urls.get(id)
  }

  /** Notes where a process listens, or that it listens nowhere. Whoever waits for the change goes on. */
  set(id: string, url: string | undefined): void {
    const isNew = !this.#urls.has(id)
    if (!isNew && this.#urls.get(id) === url) return
    this.#urls.set(id, url)
    for (const wake of [...(this.#waiting.get(id) ?? [])]) wake()
    if (isNew) for (const tell of [...this.#onId]) tell(id)
  }

  /** Resolves at the next change of a process's address, or when the signal aborts: nobody has to wait for ever. */
  changed(id: string, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set()
      const wake = () => {
        waiting.delete(wake)
        if (waiting.size === 0) this.#waiting.delete(id)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      if (signal?.aborted === true) return resolve()
      this.#waiting.set(id, waiting.add(wake))
      signal?.addEventListener('abort', wake)
    })
  }

  /** Calls `tell` with each process that is named for the first time, until the returned function is called. */
  onId(tell: (id: string) => void): () => void {
    this.#onId.add(tell)
    return () => void this.#onId.delete(tell)
  }
}
