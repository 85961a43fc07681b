import { LEASE_MS } from '../checks/discovery.js'
import type { DiscoveryEnvironment } from '../environment.js'
import type { Discovery, DnsDiscovery, EtcdDiscovery, MulticastDiscovery } from '../system.js'

/** Where processes look for each other, and what it is. */
export type Source =
  | ({ readonly by: 'dns' } & DnsDiscovery)
  | ({ readonly by: 'etcd' } & EtcdDiscovery)
  | ({ readonly by: 'multicast' } & MulticastDiscovery)

/** Who says where that is. */
export interface Said {
  /** What the description says. */
  readonly discovery: Discovery | undefined
  /** What the environment says, which goes before it. */
  readonly environment: DiscoveryEnvironment | undefined
}

/**
 * Where the processes of a deployment look for each other, in the order in which what is found is heard. A deployment that
 * does not ask for it looks for nobody, whatever stands in the environment; of one that does the environment may say where.
 */
export function sourcesOf({ discovery, environment }: Said): readonly Source[] {
  if (discovery === undefined) return []
  const dns = environment?.dns ?? discovery.dns
  const servers = environment?.etcd.servers ?? discovery.etcd?.servers
  // Nobody but the description turns it on: a variable that is left over must not make a process talk to a network.
  const multicast = discovery.multicast && (environment?.multicast ?? discovery.multicast)
  return [
    ...(dns === undefined ? [] : [{ by: 'dns' as const, ...dns, servers: discovery.dns?.servers }]),
    ...(servers === undefined ? [] : [{ by: 'etcd' as const, servers, leaseMs: discovery.etcd?.leaseMs ?? LEASE_MS }]),
    ...(multicast === undefined ? [] : [{ by: 'multicast' as const, ...multicast }]),
  ]
}

/** Whether processes look for each other at all. */
export function isDiscovering(said: Said): boolean {
  return sourcesOf(said).length > 0
}
