/** Gives each door of each process a port of its own on a machine that all share: the one it has, or the next that is free. */
export class HostPorts {
  readonly #taken: Set<number>

  constructor(taken: Iterable<number> = []) {
    this.#taken = new Set(taken)
  }

  take(wanted: number): number {
    let port = wanted
    while (this.#taken.has(port)) port++
    this.#taken.add(port)
    return port
  }
}
