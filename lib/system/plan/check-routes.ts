import { covers } from '../../covers.js'
import { nearest } from '../../nearest.js'
import type { Pattern } from '../../pattern.js'
import { routeFor } from '../route-of.js'
import { type Finding, warningOf } from './finding.js'
import type { Layout } from './layout.js'
import { quoted } from './words.js'

/** Finds routes that nothing goes by: they cover no action and no subscription, or a more specific one has them all. */
export function checkRoutes({ deployment, actions, subscriptions, groupsOf }: Layout): Finding[] {
  const { name, routes } = deployment
  const known = [...actions, ...subscriptions].filter(({ owner }) => groupsOf(owner).length > 0)
  const patterns = known.map(({ pattern }) => pattern).filter(({ text }) => text !== '')
  const used = new Set(patterns.map((pattern) => routeFor(pattern, routes)))
  return routes
    .filter((route) => !used.has(route))
    .map(({ match }) => {
      const isCovering = patterns.some((pattern) => covers(match, pattern))
      const why = isCovering ? 'a more specific route has all that it covers.' : coversNothing(match.text, patterns)
      return warningOf(
        'ROUTE_IDLE',
        `deployments.${name}.routes`,
        `Nothing goes by the route ${quoted(match.text)}: ${why}`,
      )
    })
}

function coversNothing(text: string, patterns: readonly Pattern[]): string {
  const [near] = nearest(text, new Set(patterns.map((pattern) => pattern.text)), 1)
  return `it covers no action and no subscription.${near === undefined ? '' : ` Did you mean ${quoted(near)}?`}`
}
