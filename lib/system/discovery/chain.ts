import type { Looking, Provider } from './provider.js'

/** What the chain is asked: as a provider is, but that addresses are found one by one. */
export type ChainOptions = Omit<Looking, 'found'> & {
  /** Somebody listens here, or there is a new sign of that. */
  readonly found: (url: string) => void
}

/** After so many ms what still stands is passed on again: whoever was not there may be by now. */
const AGAIN_MS = 30_000

/** What was passed on of a group. */
interface Told {
  /** The provider that was heard. */
  readonly first: number
  /** When all that it knew was passed on. */
  readonly at: number
}

/**
 * Several providers as one, in the order in which they are given: of each group the first that knows an address is heard,
 * and those behind it are not, for as long as it knows one. What is passed on is what is new, or of what there is a sign.
 */
export class Chain {
  readonly #providers: readonly Provider[]
  /** What each provider knows of each group. */
  readonly #known: readonly Map<string, readonly string[]>[]
  readonly #told = new Map<string, Told>()
  #closed: Promise<void> | undefined

  constructor(providers: readonly Provider[]) {
    this.#providers = providers
    this.#known = providers.map(() => new Map())
  }

  /** Resolves once all of them have looked once. Rejects with what no second try changes, and closes the others then. */
  async open({ found, ...options }: ChainOptions): Promise<void> {
    const groups = new Set(options.groups)
    const opening = this.#providers.map((provider, at) =>
      provider.open({
        ...options,
        found: (group, urls, fresh) => {
          if (!groups.has(group)) return
          for (const url of this.#news(at, group, urls, fresh)) found(url)
        },
      }),
    )
    try {
      await Promise.all(opening)
    } catch (error) {
      await Promise.allSettled(opening)
      await this.close()
      throw error
    }
  }

  /** Closes all of them, once. */
  close(): Promise<void> {
    this.#closed ??= Promise.all(this.#providers.map((provider) => provider.close())).then(() => {})
    return this.#closed
  }

  /** What is to be passed on of an answer. Whoever has none any more leaves the word to those behind it. */
  #news(at: number, group: string, urls: readonly string[], fresh: readonly string[]): readonly string[] {
    this.#known[at]?.set(group, urls)
    const first = this.#known.findIndex((known) => (known.get(group)?.length ?? 0) > 0)
    const told = this.#told.get(group)
    const now = performance.now()
    if (told?.first === first && now - told.at < AGAIN_MS) return first === at ? fresh : []
    this.#told.set(group, { first, at: now })
    return this.#known[first]?.get(group) ?? []
  }
}
