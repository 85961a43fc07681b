import type { Pattern } from '../pattern.js'
import type { KeySet } from './key-set.js'

/** A pattern in a router, with what is kept for it and the set of keys it belongs to. */
export interface Entry<T> {
  readonly pattern: Pattern
  readonly home: KeySet<T>
  value: T
}
