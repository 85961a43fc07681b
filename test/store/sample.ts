import { matcherOf } from '../../lib/covers.js'
import type { DurableSubscription, OpenStore, StoredEvent } from '../../lib/store.js'

let made = 0

/** An event of the pattern `role:order,event:created`, unlike any other. */
export function sample(n: number, wish: Partial<StoredEvent> = {}): StoredEvent {
  made++
  return {
    id: `event-${made}`,
    at: Date.now(),
    declared: 'event:created,role:order',
    message: { role: 'order', event: 'created', n },
    meta: {},
    key: '',
    retain: false,
    durable: true,
    ...wish,
  }
}

/** A subscription to all orders, or to what the wish says. */
export function subscription(wish: Partial<Omit<DurableSubscription, 'matches'>> = {}): DurableSubscription {
  const pattern = wish.pattern ?? 'role:order'
  return { name: 'shop.all', ordered: false, concurrency: 16, ...wish, pattern, matches: matcherOf(pattern) }
}

/** Appends events one after the other: the order in which they are stored is the one in which they stand here. */
export async function appendAll(store: OpenStore, events: readonly StoredEvent[]): Promise<void> {
  for (const event of events) await store.append(event, soon())
}

/** A signal that aborts when no test would wait any longer. */
export function soon(ms = 20_000): AbortSignal {
  return AbortSignal.timeout(ms)
}

/** Numbers in their order, for `toSorted`. */
export const ascending = (a: number, b: number): number => a - b
