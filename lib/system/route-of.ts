import { covers } from '../covers.js'
import { type Pattern, toPattern } from '../pattern.js'
import type { TransportName } from './description.js'
import type { Deployment, Route } from './system.js'

/**
 * Tells what carries the actions and subscriptions of a pattern (canonical text): the most specific route that covers it,
 * else the transport of the deployment.
 */
export function routeOf({
  transport,
  routes,
}: Pick<Deployment, 'transport' | 'routes'>): (pattern: string) => TransportName {
  // As many as an app has patterns.
  const known = new Map<string, TransportName>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const via = routeFor(toPattern(text), routes)?.via ?? transport
    known.set(text, via)
    return via
  }
}

/** The route that a pattern goes by; undefined if none covers it. Routes are sorted, the most specific first. */
export function routeFor(pattern: Pattern, routes: readonly Route[]): Route | undefined {
  return routes.find(({ match }) => covers(match, pattern))
}
