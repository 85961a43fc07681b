import { covers } from '../covers.js'
import { LuciliusError } from '../errors.js'
import type { Handler, Middleware } from '../handler.js'
import type { Pattern } from '../pattern.js'
import { compareSpecificity } from '../specificity.js'
import type { Action } from './action.js'

/** Where a wrap runs: around the handler, or where the act is called. */
export type Side = 'handler' | 'caller'

/** A middleware and the actions it goes around. */
export interface Wrap {
  readonly pattern: Pattern
  readonly service: string
  readonly at: Side
  readonly middleware: Middleware
  readonly order: number
}

/** One middleware around one action. It is made once; only what it leads to changes when wraps come and go. */
interface Layer {
  next: Handler
  readonly handler: Handler
}

/** The wraps of an app, composed around its actions when either is registered and never per call. */
export class Wraps {
  readonly #wraps: Wrap[] = []
  /** Weak at both ends: wraps come and go while actions stay, and actions come and go while wraps stay. */
  readonly #layers = new WeakMap<Action, WeakMap<Wrap, Layer>>()

  add(wrap: Wrap): void {
    this.#wraps.push(wrap)
    this.#wraps.sort(widestFirst)
  }

  remove(wrap: Wrap): void {
    const index = this.#wraps.indexOf(wrap)
    if (index >= 0) this.#wraps.splice(index, 1)
  }

  /** All of them, the widest first. */
  get all(): readonly Wrap[] {
    return this.#wraps
  }

  get none(): boolean {
    return this.#wraps.length === 0
  }

  /** The wraps around an action, outermost first. */
  around(action: Action, at: Side): Wrap[] {
    if (at === 'handler' && action.remote !== undefined) return []
    return this.#wraps.filter((wrap) => wrap.at === at && covers(wrap.pattern, action.pattern))
  }

  /** Puts the wraps of one side around `inner`, the widest outermost. Throws `LUC_HANDLER_INVALID`. */
  compose(action: Action, at: Side, inner: Handler): Handler {
    const layers = this.around(action, at).map((wrap) => this.#layer(action, wrap))
    return layers.reduceRight((next, layer) => {
      layer.next = next
      return layer.handler
    }, inner)
  }

  #layer(action: Action, wrap: Wrap): Layer {
    let layers = this.#layers.get(action)
    if (layers === undefined) {
      layers = new WeakMap()
      this.#layers.set(action, layers)
    }
    let layer = layers.get(wrap)
    if (layer === undefined) {
      layer = makeLayer(wrap)
      layers.set(wrap, layer)
    }
    return layer
  }
}

function makeLayer(wrap: Wrap): Layer {
  const next: Handler = (message, context) => layer.next(message, context)
  const handler = wrap.middleware(next)
  if (typeof handler !== 'function') {
    const where = wrap.pattern.text === '' ? 'every action' : wrap.pattern.text
    throw new LuciliusError(
      'LUC_HANDLER_INVALID',
      `The middleware around ${where} gave ${handler == null ? String(handler) : `a ${typeof handler}`} instead of a handler: write (next) => (message, context) => next(message, context).`,
    )
  }
  const layer: Layer = { next: handler, handler }
  return layer
}

function widestFirst(a: Wrap, b: Wrap): number {
  return compareSpecificity(b.pattern, a.pattern) || a.order - b.order
}
