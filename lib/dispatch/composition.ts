import type { Handler } from '../handler.js'
import type { Message } from '../message.js'
import type { Action } from './action.js'
import { Actions } from './actions.js'
import type { Call } from './call.js'
import { callOf } from './context.js'
import { guard } from './guard.js'
import { type Wrap, Wraps } from './wraps.js'

/** Runs an action within the wraps of the caller's side: the innermost of them. */
export type RunInside = (action: Action, message: Message, call: Call | undefined) => Promise<unknown>

/** Goes around everything that runs where a handler does. */
export type Follow = (action: Action, run: Handler) => Handler

/** The actions of an app with everything that goes around them, put together when either is registered. */
export class Composition {
  readonly actions = new Actions()
  readonly wraps = new Wraps()
  readonly #strict: boolean
  readonly #runInside: RunInside
  readonly #follow: Follow | undefined

  constructor(strict: boolean, runInside: RunInside, follow: Follow | undefined) {
    this.#strict = strict
    this.#runInside = runInside
    this.#follow = follow
  }

  /** Adds an action. Throws `LUC_HANDLER_INVALID` if a middleware gives no handler. */
  add(action: Action): void {
    this.compose(action)
    this.actions.add(action)
  }

  /** Adds a wrap around all actions that it covers. Throws `LUC_HANDLER_INVALID`, and then nothing has changed. */
  wrap(wrap: Wrap): void {
    this.wraps.add(wrap)
    try {
      this.#recompose()
    } catch (error) {
      this.unwrap(wrap)
      throw error
    }
  }

  /** Takes a wrap away. */
  unwrap(wrap: Wrap): void {
    this.wraps.remove(wrap)
    this.#recompose()
  }

  /** Puts an action in the place of another one for a while, within the wraps of the caller's side only. */
  replace(action: Action, by: Action): void {
    this.compose(by)
    this.actions.replace(action, by)
  }

  /** Puts an action back in its place. Throws `LUC_HANDLER_INVALID`. */
  restore(action: Action): void {
    this.compose(action)
    this.actions.restore(action)
  }

  #recompose(): void {
    for (const action of this.actions.all()) this.compose(action)
  }

  /** Puts everything around an action anew. Throws `LUC_HANDLER_INVALID`. */
  compose(action: Action): void {
    action.run = action.held === undefined ? this.#composeRun(action) : action.handler
    action.outer = this.wraps.around(action, 'caller').length > 0 ? this.#composeOuter(action) : undefined
  }

  #composeRun(action: Action): Handler {
    const wrapped = this.wraps.around(action, 'handler').length > 0
    const inner = action.remote === undefined ? guard(action, this.#strict, wrapped) : action.handler
    const run = this.wraps.compose(action, 'handler', inner)
    return this.#follow === undefined || action.remote !== undefined ? run : this.#follow(action, run)
  }

  /** The caller's wraps go around a call of its own, so that each try of theirs settles by itself. */
  #composeOuter(action: Action): Handler {
    return this.wraps.compose(action, 'caller', (message, context) => this.#runInside(action, message, callOf(context)))
  }
}
