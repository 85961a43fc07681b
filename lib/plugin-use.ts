import type { PeerConnection } from './app.js'
import type { Boot } from './boot.js'
import type { Action } from './dispatch/action.js'
import type { Wrap } from './dispatch/wraps.js'
import type { Declared } from './events/declarations.js'
import type { Durable } from './events/durable.js'
import type { Subscribed } from './events/subscriptions.js'
import type { Logger } from './logger.js'
import type { Listener } from './transport.js'

/** Gives out positions in the order of registration. */
export interface Orders {
  next(): number
}

/** Counts up. */
export function ascending(): Orders {
  let order = 0
  return { next: () => ++order }
}

/** Positions between one whole number and the next. */
export function within(place: number): Orders {
  let count = 0
  return { next: () => place + ++count * 2 ** -30 }
}

/**
 * Where a plugin stands. One that takes the place of another is `staged` while it is set up: what it registers enters the
 * app all together. It is `starting` while its hooks run, then `in`, as all others are from the beginning. `leaving` has
 * yet to finish what runs; what is `out` registers and sends nothing.
 */
export type Standing = 'staged' | 'starting' | 'in' | 'leaving' | 'out'

/** What a plugin and those that it uses in its set-up share. */
export interface Tenure {
  standing: Standing
  orders: Orders
  readonly boot: Boot
}

/** One use of a plugin, with all that it has registered. */
export class PluginUse {
  readonly name: string
  readonly log: Logger
  readonly tenure: Tenure
  /** The plugin in whose set-up it is used. */
  readonly within: PluginUse | undefined
  /** The plugins that are used in its set-up. */
  readonly inner: PluginUse[] = []
  /** Position in the order of registration, given when its set-up begins. */
  place = 0
  readonly actions = new Set<Action>()
  readonly subscriptions = new Set<Subscribed>()
  readonly durables = new Set<Durable>()
  readonly declarations = new Set<Declared>()
  readonly wraps = new Set<Wrap>()
  /** The listeners and connections that it opened. */
  readonly opened = new Set<Listener | PeerConnection>()

  constructor(name: string, log: Logger, tenure: Tenure, within?: PluginUse) {
    this.name = name
    this.log = log
    this.tenure = tenure
    this.within = within
    within?.inner.push(this)
  }

  /** This use and those within it. */
  *all(): Iterable<PluginUse> {
    yield this
    for (const one of this.inner) yield* one.all()
  }
}
