/** The addresses of one group's processes that were heard of lately, at most so many. */
export class Roster {
  /** By instance, the one that was heard longest ago first. */
  readonly #processes = new Map<string, { readonly url: string; readonly until: number }>()
  readonly #keepMs: number
  readonly #max: number
  /** Listed when somebody asks: most announcements change nothing. */
  #urls: readonly string[] | undefined

  constructor(keepMs: number, max: number) {
    this.#keepMs = keepMs
    this.#max = max
  }

  /** A process said where it is. */
  note(instance: string, url: string, now: number): void {
    if (this.#processes.get(instance)?.url !== url) this.#urls = undefined
    this.#processes.delete(instance)
    this.#processes.set(instance, { url, until: now + this.#keepMs })
    if (this.#processes.size > this.#max) this.remove(this.#processes.keys().next().value ?? '')
  }

  /** A process said that it ends. */
  remove(instance: string): void {
    if (this.#processes.delete(instance)) this.#urls = undefined
  }

  /** Leaves out those that were silent for too long, and tells whether there were any. */
  forget(now: number): boolean {
    const before = this.#processes.size
    for (const [instance, { until }] of this.#processes) {
      if (until > now) break
      this.remove(instance)
    }
    return this.#processes.size < before
  }

  urls(): readonly string[] {
    this.#urls ??= [...new Set([...this.#processes.values()].map(({ url }) => url))]
    return this.#urls
  }
}
