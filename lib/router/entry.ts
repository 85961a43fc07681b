import type { Pattern } from '../pattern.js'

/** Where the keys of a pattern stand among all sets of keys of a router, the most specific being 0. */
export interface Place {
  readonly rank: number
  /** The rank of the first set with fewer keys. */
  readonly nextTier: number
}

/** A pattern in a router, with what is kept for it. */
export interface Entry<T> {
  readonly pattern: Pattern
  readonly place: Place
  value: T
}
