import type { Context, Delivery } from '../handler.js'
import type { Acts, Emits } from './call.js'
import type { Mode, Open } from './contract.js'

/** An event handler's second argument, its `act` and `emit` checked against the registries. */
export interface TypedEventContext<R, E, M extends Mode>
  extends Omit<Context, 'act' | 'emit' | 'prior'>,
    Acts<R, M>,
    Emits<E, M> {
  /** How it came out of the store; absent for an event that was handed over as it was emitted. */
  readonly delivery?: Delivery
}

/** A handler's second argument, its `act`, `emit` and `prior` checked against the registries; a prior replies `Y`. */
export interface TypedContext<R, E, M extends Mode, Y = unknown>
  extends Omit<Context, 'act' | 'emit' | 'prior'>,
    Acts<R, M>,
    Emits<E, M> {
  /**
   * Calls the action that this one stands in front of: the next older one of the same pattern, else the most specific
   * one with a wider pattern. Without a message it gets the message as it was sent. `undefined` at the end of the chain.
   */
  prior(message?: Open): Promise<Y>
}
