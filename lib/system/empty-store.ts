import type { StoreAdmin } from '../store.js'

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

/** Where nothing is declared that would have to be kept, and nothing is: the same, which says so. */
export const nothingKept = emptyStore('none: no service here declares a durable event, so nothing is kept')
