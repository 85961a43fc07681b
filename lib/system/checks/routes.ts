import { compareSpecificity } from '../../specificity.js'
import type { TransportName } from '../description.js'
import type { Route } from '../system.js'
import { isBroker } from '../transports-used.js'
import { hasKeys } from './keys.js'
import { oneOf } from './one-of.js'
import { patternAt } from './patterns.js'
import type { Place } from './place.js'

/** The transports that a deployment may name. */
export const transportNames = ['websocket', 'http', 'nats', 'amqp'] as const satisfies readonly TransportName[]

/** The routes of a deployment, the most specific first. */
export function routesAt(place: Place, transport: TransportName): readonly Route[] {
  const { value } = place
  if (value === undefined) return Object.freeze([])
  if (!Array.isArray(value)) place.expected("a list such as [{ match: 'role:rates', via: 'nats' }]")
  const routes: Route[] = []
  for (const one of place.elements()) {
    const route = routeAt(one)
    if (route === undefined) continue
    checkOnce(one, route, routes)
    checkDirect(one.at('via'), route, [transport, ...routes.map(({ via }) => via)])
    routes.push(route)
  }
  return Object.freeze(routes.sort((a, b) => compareSpecificity(a.match, b.match)))
}

function routeAt(place: Place): Route | undefined {
  if (!hasKeys(place, ['match', 'via'])) return undefined
  const match = patternAt(place.at('match'))
  const via = oneOf(place.at('via'), transportNames)
  if (match?.text === '') return place.at('match').wrong("the catch-all '' is what 'transport' is for")
  return match === undefined ? undefined : Object.freeze({ match, via })
}

function checkOnce(place: Place, { match }: Route, others: readonly Route[]): void {
  if (others.some((other) => other.match.text === match.text)) {
    place.at('match').wrong(`there is a route for '${match.text}' already`)
  }
}

/** A process listens on one port for the others. */
function checkDirect(place: Place, { via }: Route, others: readonly TransportName[]): void {
  const other = others.find((name) => !isBroker(name) && name !== via)
  if (isBroker(via) || other === undefined) return
  place.wrong(`the processes of this deployment meet over '${other}': routes lead to it or to a broker`)
}
