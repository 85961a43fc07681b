import type { StoreAdmin } from '../../store.js'

/** A store that is not there yet, as it would answer: asking for it makes none. */
export function emptyStore(store: string): StoreAdmin {
  return {
    report: async () => ({ store, events: 0, retained: 0, subscriptions: [] }),
    deadLetters: async () => [],
    deadLetter: async () => undefined,
    replay: async () => false,
    drop: async () => false,
    removeSubscription: async () => false,
  }
}
