import type { Deployment, Group } from './system.js'

/** A group of one process that listens on a free port of loopback, and has no door. */
export function plainGroup(name: string, services: readonly string[]): Group {
  return Object.freeze({
    name,
    services: Object.freeze([...services]),
    replicas: 1,
    listen: Object.freeze({ host: '127.0.0.1', port: 0, urls: undefined }),
    outside: Object.freeze([]),
    peers: undefined,
    amqp: undefined,
  })
}

/** A deployment of which a description says no more than its groups. */
export function plainDeployment(name: string, groups: readonly Group[]): Deployment {
  return Object.freeze({
    name,
    transport: 'websocket',
    routes: Object.freeze([]),
    brokers: noBrokers,
    discovery: undefined,
    store: undefined,
    groups: new Map(groups.map((group) => [group.name, group])),
  })
}

/** Where brokers are if nobody says: at their usual ports of loopback. */
export const noBrokers: Deployment['brokers'] = Object.freeze({
  space: undefined,
  nats: Object.freeze({ servers: undefined, creds: undefined, tls: undefined }),
  amqp: Object.freeze({ url: undefined, tls: undefined }),
})
