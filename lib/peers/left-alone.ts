interface Entry {
  readonly timer: NodeJS.Timeout
  readonly instance: string | undefined
}

/** Addresses that nobody tries for a while. */
export class LeftAlone {
  readonly #entries = new Map<string, Entry>()

  get size(): number {
    return this.#entries.size
  }

  has(address: string): boolean {
    return this.#entries.has(address)
  }

  /** Leaves an address alone for so long, or until no other one leads to an instance. */
  add(address: string, ms: number, instance?: string): void {
    this.#delete(address)
    const timer = setTimeout(() => this.#delete(address), ms).unref()
    this.#entries.set(address, { timer, instance })
  }

  /** No other address leads to an instance any more: those that do may be tried. */
  free(instance: string): void {
    for (const [address, entry] of this.#entries) if (entry.instance === instance) this.#delete(address)
  }

  clear(): void {
    for (const address of [...this.#entries.keys()]) this.#delete(address)
  }

  #delete(address: string): void {
    clearTimeout(this.#entries.get(address)?.timer)
    this.#entries.delete(address)
  }
}
