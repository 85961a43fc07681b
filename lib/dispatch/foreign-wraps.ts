import type { Action } from './action.js'
import type { Composition } from './composition.js'
import type { Wrap } from './wraps.js'

/** A service's wrap around an action of another service: after a split it would not follow. */
export interface ForeignWrap {
  readonly wrap: Wrap
  readonly action: Action
}

/** The wraps of services (plugins with actions of their own) that also go around another service's action. */
export function foreignWraps({ actions, wraps }: Composition): ForeignWrap[] {
  // Asked at each registration: without this, ten thousand actions take seconds.
  if (wraps.none) return []
  const here = [...actions.all()].filter((action) => action.remote === undefined)
  const services = new Set(here.map(({ service }) => service))
  const first = new Map<Wrap, Action>()
  for (const action of here) {
    for (const wrap of wraps.around(action, 'handler')) {
      if (wrap.service !== action.service && services.has(wrap.service) && !first.has(wrap)) first.set(wrap, action)
    }
  }
  return [...first].map(([wrap, action]) => ({ wrap, action }))
}
