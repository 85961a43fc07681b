import type { PeerInfo } from '../handler.js'

/**
 * Who of those expected was met. Over a broker nobody has the id of a process: a peer has the name of its group, and is
 * told from the others there by its instance.
 */
export class RollCall {
  /** How many of a name are missing. */
  readonly #missing: Map<string, number>
  /** Names of which none was met. */
  readonly #unmet: Set<string>
  readonly #instances = new Set<string>()
  readonly #one = signal()
  readonly #all = signal()

  /** `expected` says how many there are of each name. */
  constructor(expected: ReadonlyMap<string, number>) {
    this.#missing = new Map(expected)
    this.#unmet = new Set(expected.keys())
    this.#look()
  }

  /** The names of which none was met so far. */
  get unmet(): readonly string[] {
    return [...this.#unmet]
  }

  /** Resolves when at least one of each name was met, or nobody waits any more. */
  get oneOfEach(): Promise<void> {
    return this.#one.promise
  }

  /** Resolves when all were met, or nobody waits any more. */
  get all(): Promise<void> {
    return this.#all.promise
  }

  /** Somebody was met. */
  met({ name, instance }: PeerInfo): void {
    const missing = this.#missing.get(name)
    if (missing === undefined || this.#instances.has(instance)) return
    this.#instances.add(instance)
    this.#unmet.delete(name)
    if (missing > 1) this.#missing.set(name, missing - 1)
    else this.#missing.delete(name)
    this.#look()
  }

  /** Nobody waits any more. */
  end(): void {
    this.#one.give()
    this.#all.give()
  }

  #look(): void {
    if (this.#unmet.size === 0) this.#one.give()
    if (this.#missing.size === 0) this.#all.give()
  }
}

/** The names of those who are expected, and how many there are of each. */
export function countOf(names: Iterable<string>): Map<string, number> {
  const count = new Map<string, number>()
  for (const name of names) count.set(name, (count.get(name) ?? 0) + 1)
  return count
}

interface Signal {
  readonly promise: Promise<void>
  give(): void
}

function signal(): Signal {
  let give = () => {}
  const promise = new Promise<void>((resolve) => {
    give = resolve
  })
  return { promise, give }
}
