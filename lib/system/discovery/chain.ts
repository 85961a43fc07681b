import type { Looking, Provider } from './provider.js'

/** What the chain is asked: as a provider is, but that an address is found one by one. */
export type Asked = Omit<Looking, 'found'> & {
  /** Somebody listens here, or still does. */
  readonly found: (url: string) => void
}

/**
 * Several providers as one, in the order in which they are given: of each group the first that knows an address is heard,
 * and those behind it are not, for as long as it knows one.
 */
export class Chain {
  readonly #providers: readonly Provider[]
  /** What each provider knows of each group. */
  readonly #known: readonly Map<string, readonly string[]>[]

  constructor(providers: readonly Provider[]) {
    this.#providers = providers
    this.#known = providers.map(() => new Map())
  }

  /** Resolves once all of them have looked once. Rejects with what no second try changes, and closes the others then. */
  async open({ found, ...asked }: Asked): Promise<void> {
    const groups = new Set(asked.groups)
    const opening = this.#providers.map((provider, at) =>
      provider.open({
        ...asked,
        found: (group, urls) => {
          if (groups.has(group)) this.#heard(at, group, urls, found)
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

  async close(): Promise<void> {
    await Promise.all(this.#providers.map((provider) => provider.close()))
  }

  /** Whoever had an answer and has none any more leaves the word to those behind it. */
  #heard(at: number, group: string, urls: readonly string[], found: (url: string) => void): void {
    this.#known[at]?.set(group, urls)
    const first = this.#known.findIndex((known) => (known.get(group)?.length ?? 0) > 0)
    const isHeard = first === at || (urls.length === 0 && first > at)
    if (isHeard) for (const url of this.#known[first]?.get(group) ?? []) found(url)
  }
}
