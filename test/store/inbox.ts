import type { DurableSubscription, OpenStore, ServedSubscription, StoreDelivery, Verdict } from '../../lib/store.js'

/** What was delivered to one instance for one subscription, in the order in which it came. */
export class Inbox {
  /** All that ever came. */
  readonly all: StoreDelivery[] = []
  #taken = 0
  readonly #wakes = new Set<() => void>()
  readonly #answer: ((delivery: StoreDelivery) => Verdict | undefined) | undefined

  /** With `answer`, each delivery is ended at once with what it gives; what it gives none for stays under way. */
  constructor(answer?: (delivery: StoreDelivery) => Verdict | undefined) {
    this.#answer = answer
  }

  readonly deliver = (delivery: StoreDelivery): void => {
    this.all.push(delivery)
    const verdict = this.#answer?.(delivery)
    if (verdict !== undefined) void delivery.end(verdict)
    for (const wake of this.#wakes) wake()
  }

  /** The `n` of each event that came. */
  get numbers(): unknown[] {
    return this.all.map(({ event }) => event.message.n)
  }

  /** The next one that nobody has taken yet. Rejects if none comes in time. */
  async next(limitMs = 10_000): Promise<StoreDelivery> {
    const at = this.#taken++
    await this.has(at + 1, limitMs).catch((error: unknown) => {
      this.#taken--
      throw error
    })
    return this.all[at] as StoreDelivery // has() has seen it
  }

  /** Whether some came that nobody has taken. */
  get waiting(): number {
    return this.all.length - this.#taken
  }

  /** Resolves when so many have come, in all. Rejects if they do not come in time. */
  async has(count: number, limitMs = 10_000): Promise<void> {
    const end = performance.now() + limitMs
    while (this.all.length < count) {
      const left = end - performance.now()
      if (left <= 0) throw new Error(`${this.all.length} of ${count} deliveries came within ${limitMs} ms.`)
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          this.#wakes.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, left)
        this.#wakes.add(wake)
      })
    }
  }
}

/** An inbox in which everything succeeds. */
export const handlesAll = (): Inbox => new Inbox(() => ({ kind: 'done' }))

/** Serves a subscription with an inbox. */
export async function served(
  store: OpenStore,
  subscription: DurableSubscription,
  inbox = new Inbox(),
): Promise<Inbox & { readonly service: ServedSubscription }> {
  const service = await store.serve(subscription, inbox.deliver)
  return Object.assign(inbox, { service })
}
