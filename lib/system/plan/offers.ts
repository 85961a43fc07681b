import type { Inventory } from '../../host.js'
import { type Pattern, toPattern } from '../../pattern.js'
import { ownerOf } from '../owner.js'

/** A subscription that a service registers. */
export interface OfferedSubscription {
  readonly pattern: Pattern
  /** Its name in the store: `audit.orders`. Undefined: it is not durable. */
  readonly durable: string | undefined
}

/** An event that a service declares. */
export interface OfferedEvent {
  readonly pattern: Pattern
  /** Durable subscriptions get it, whenever they run. */
  readonly durable: boolean
  /** New subscriptions get the last one. */
  readonly retain: boolean
}

/** What a service, or a plugin of the system, registers when it is set up. */
export interface Offer {
  readonly actions: readonly Pattern[]
  readonly subscriptions: readonly OfferedSubscription[]
  readonly events: readonly OfferedEvent[]
  /** Patterns of the wraps that run where the handler runs. */
  readonly wraps: readonly Pattern[]
}

/** A service or plugin that could not be set up. */
export interface Failure {
  readonly service: string
  readonly message: string
  /** The code around the place, where that is known. */
  readonly frame: string | undefined
}

/** What all services and plugins of a system register, learned by setting them up. */
export interface Offers {
  readonly services: ReadonlyMap<string, Offer>
  /** What the plugins register, which every process loads. */
  readonly plugins: ReadonlyMap<string, Offer>
  /** Services that a service must find before it in its process. */
  readonly needs: ReadonlyMap<string, readonly string[]>
  readonly failures: readonly Failure[]
}

/** What each of these services or plugins registers, that included which plugins within it do. */
export function offersOf(
  names: readonly string[],
  { plugins, ...registered }: Pick<Inventory, 'plugins' | 'actions' | 'subscriptions' | 'events' | 'wraps'>,
): Map<string, Offer> {
  const owners = new Map(plugins.map(({ name }) => [name, ownerOf(name, plugins)]))
  return new Map(
    names.map((owner) => {
      const isOwn = ({ service }: { readonly service: string }) => owners.get(service) === owner
      const { actions, subscriptions, events, wraps } = registered
      return [
        owner,
        {
          actions: actions.filter(isOwn).map(patternOf),
          subscriptions: subscriptions.filter(isOwn).map((one) => ({
            pattern: patternOf(one),
            durable: one.durable === undefined ? undefined : `${one.service}.${one.durable}`,
          })),
          events: events
            .filter(isOwn)
            .map((one) => ({ pattern: patternOf(one), durable: one.durable, retain: one.retain })),
          wraps: wraps.filter((wrap) => isOwn(wrap) && wrap.at === 'handler').map(patternOf),
        },
      ]
    }),
  )
}

function patternOf({ pattern }: { readonly pattern: string }): Pattern {
  return toPattern(pattern)
}
