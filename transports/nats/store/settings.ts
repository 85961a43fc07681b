import { DUPLICATES_MS } from '../../../lib/transport-kit.js'

/** How events are kept in JetStream. What is not set of a stream that exists already stays as it is. */
export interface StoreOptions {
  /** Servers of a cluster that keep a copy of everything, 1 to 5; 1 unless given. */
  readonly replicas?: number
  /** For how long events are kept, handled or not, in ms; 7 days unless given. */
  readonly maxAgeMs?: number
  /** Bytes of events that are kept: beyond, new ones are refused until old ones are out of age. No bound unless given. */
  readonly maxBytes?: number
  /**
   * After how many ms without a sign of life an event goes to another instance, or an ordered subscription does; 5,000
   * unless given, and at least 2,000: a running handler gives its sign every second.
   */
  readonly ackWaitMs?: number
  /** For how long a second event of the same id is taken for the first, in ms; two minutes unless given. */
  readonly duplicatesMs?: number
}

/** The same, of one space on a broker. */
export interface StoreSettings extends StoreOptions {
  /** Letters, digits, `-` and `_`: part of the names of streams and subjects. */
  readonly space: string
}

/** What holds where nothing is set. */
export const storeDefaults = {
  replicas: 1,
  maxAgeMs: 7 * 24 * 60 * 60 * 1000,
  ackWaitMs: 5_000,
  duplicatesMs: DUPLICATES_MS,
} as const
