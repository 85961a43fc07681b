import type { Action } from '../dispatch/action.js'
import type { Pattern } from '../pattern.js'
import type { Backoff } from './backoff.js'

/** A subscription that a store knows, as registered. */
export interface Durable {
  readonly pattern: Pattern
  readonly service: string
  /** What its author calls it. */
  readonly durable: string
  /** What the store calls it: `<service>.<durable>`. */
  readonly name: string
  /** The properties by which events are kept in order; undefined if they need not be. */
  readonly orderBy: readonly string[] | undefined
  readonly maxDeliveries: number
  readonly concurrency: number
  readonly backoff: Backoff
  readonly timeoutMs: number
  /** What a call runs: to the machinery it is an action whose reply nobody waits for. */
  readonly action: Action
  /** How often its handler failed. */
  failures: number
}
