import { routeFor } from '../route-of.js'
import { storeFolder, storeKind } from '../store-of.js'
import type { Deployment, Route } from '../system.js'
import type { BrokerName } from '../transports-used.js'
import type { Around } from './check-secret.js'
import type { Kept } from './check-stores.js'
import type { DeclaredEvent, Layout } from './layout.js'
import type { PlannedBroker, PlannedDurable, PlannedEvent, PlannedRoute, PlannedStore } from './planned.js'

/** A route, and what goes by it. */
export function plannedRoute(route: Route, { actions, subscriptions, groupsOf, deployment }: Layout): PlannedRoute {
  const known = [...actions, ...subscriptions].filter(({ owner }) => groupsOf(owner).length > 0)
  const own = known.filter(({ pattern }) => pattern.text !== '' && routeFor(pattern, deployment.routes) === route)
  const patterns = new Set(own.map(({ pattern }) => pattern.text))
  return { match: route.match.text, via: route.via, patterns: [...patterns].sort() }
}

/** Where a broker is, as far as it may be shown. */
export function plannedBroker(
  name: BrokerName,
  { brokers }: Deployment,
  environment: Around | undefined,
): PlannedBroker {
  const given = environment?.brokers
  const servers =
    name === 'nats' ? (given?.nats.servers ?? brokers.nats.servers) : alone(given?.amqp.url ?? brokers.amqp.url)
  return { name, servers: servers?.map(shown) ?? null }
}

/** What keeps durable events. */
export function plannedStore(deployment: Deployment, processes: number): PlannedStore | null {
  const store = storeKind(deployment, processes)
  if (store.kind === 'none') return null
  const path = store.kind === 'embedded' ? (store.path ?? storeFolder(deployment.name)) : null
  return { kind: store.kind, path }
}

/** An event that is kept. */
export function plannedEvent({ owner, pattern, durable, retain }: DeclaredEvent): PlannedEvent {
  return { service: owner, pattern: pattern.text, durable, retain }
}

/** A durable subscription. */
export function plannedDurable({ durable, pattern }: Kept['subscriptions'][number]): PlannedDurable {
  return { name: durable, pattern: pattern.text }
}

function alone(url: string | undefined): readonly string[] | undefined {
  return url === undefined ? undefined : [url]
}

function shown(address: string): string {
  const { protocol, host } = new URL(address)
  return `${protocol}//${host}`
}
