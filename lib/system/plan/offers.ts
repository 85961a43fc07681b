import type { Inventory } from '../../host.js'
import { type Pattern, toPattern } from '../../pattern.js'

/** What a service, or a plugin of the system, registers when it is set up. */
export interface Offer {
  readonly actions: readonly Pattern[]
  readonly subscriptions: readonly Pattern[]
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

/** What all services and plugins of a system register, learned by setting each of them up. */
export interface Offers {
  readonly services: ReadonlyMap<string, Offer>
  /** What the plugins register, which every process loads. */
  readonly plugins: ReadonlyMap<string, Offer>
  /** Services that a service must find before it in its process. */
  readonly needs: ReadonlyMap<string, readonly string[]>
  readonly failures: readonly Failure[]
}

/** The part of an inventory that a plan looks at. */
type Registered = Pick<Inventory, 'actions' | 'subscriptions' | 'wraps'>

/** What an inventory holds beyond another one: what was added by that which only the first one has loaded. */
export function offerOf(inventory: Registered, before: Registered = nothing): Offer {
  return {
    actions: beyond(inventory.actions, before.actions).map(patternOf),
    subscriptions: beyond(inventory.subscriptions, before.subscriptions).map(patternOf),
    wraps: beyond(inventory.wraps, before.wraps)
      .filter(({ at }) => at === 'handler')
      .map(patternOf),
  }
}

const nothing: Registered = { actions: [], subscriptions: [], wraps: [] }

/** The entries that stand more often in the one list than in the other. */
function beyond<T extends object>(all: readonly T[], before: readonly T[]): T[] {
  const known = new Map<string, number>()
  for (const entry of before) known.set(textOf(entry), (known.get(textOf(entry)) ?? 0) + 1)
  return all.filter((entry) => {
    const left = known.get(textOf(entry)) ?? 0
    known.set(textOf(entry), left - 1)
    return left <= 0
  })
}

function textOf(entry: object): string {
  return JSON.stringify(entry)
}

function patternOf({ pattern }: { readonly pattern: string }): Pattern {
  return toPattern(pattern)
}
