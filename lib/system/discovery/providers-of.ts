import { LEASE_MS } from '../checks/discovery.js'
import type { DiscoveryEnvironment } from '../environment.js'
import type { Discovery } from '../system.js'
import type { DirectName } from '../transports-used.js'
import type { Provider } from './provider.js'

/** What decides how processes find each other. */
export interface Ways {
  /** What the description says. */
  readonly discovery: Discovery | undefined
  /** What the environment says, which goes before it. */
  readonly environment: DiscoveryEnvironment | undefined
  readonly transport: DirectName
  readonly space: string
  readonly secret: string
}

/**
 * How processes look for each other, in the order in which what is found is heard. A deployment that does not ask for it
 * looks for nobody, whatever stands in the environment; of one that does the environment may say where.
 */
export function waysToFind({
  discovery,
  environment,
}: Pick<Ways, 'discovery' | 'environment'>): readonly Provider['name'][] {
  if (discovery === undefined) return []
  return [
    ...((environment?.dns ?? discovery.dns) === undefined ? [] : ['dns' as const]),
    ...((environment?.etcd.servers ?? discovery.etcd) === undefined ? [] : ['etcd' as const]),
    // Nobody but the description turns it on: a variable that is left over must not make a process talk to a network.
    ...(discovery.multicast === undefined ? [] : ['multicast' as const]),
  ]
}

/** Whether processes look for each other at all. */
export function isDiscovering(ways: Pick<Ways, 'discovery' | 'environment'>): boolean {
  return waysToFind(ways).length > 0
}

/** The providers of a deployment, the one that is heard first before the others. Each is loaded when it is used. */
export async function providersOf({ discovery, environment, transport, space, secret }: Ways): Promise<Provider[]> {
  const providers: Provider[] = []
  const name = environment?.dns ?? discovery?.dns
  if (name !== undefined) {
    const { dnsProvider } = await import('./dns.js')
    providers.push(dnsProvider({ ...name, servers: discovery?.dns?.servers }, transport))
  }
  const { user, password, servers = discovery?.etcd?.servers } = environment?.etcd ?? {}
  if (servers !== undefined) {
    const { etcdProvider } = await import('./etcd.js')
    const leaseMs = discovery?.etcd?.leaseMs ?? LEASE_MS
    const proof = { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) }
    providers.push(etcdProvider({ servers, leaseMs, space, ...proof }))
  }
  if (discovery?.multicast !== undefined) {
    const { multicastProvider } = await import('./multicast.js')
    providers.push(multicastProvider({ ...(environment?.multicast ?? discovery.multicast), space, secret }))
  }
  return providers
}
