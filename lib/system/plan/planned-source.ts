import type { Source } from '../discovery/sources.js'
import { addressesOf } from '../environment.js'
import { hostAndPort } from '../host-names.js'
import type { Deployment } from '../system.js'
import { isPlaced } from './check-discovery.js'
import type { Around } from './check-secret.js'
import type { PlannedName, PlannedSource } from './planned.js'

/** Where processes look for each other, as far as it may be shown. Addresses of etcd were checked: no user is in them. */
export function plannedSource(source: Source, deployment: Deployment, environment: Around | undefined): PlannedSource {
  switch (source.by) {
    case 'dns':
      return { by: 'dns', names: namesOf(source, deployment, environment), servers: source.servers ?? null }
    case 'etcd':
      return { by: 'etcd', servers: source.servers }
    case 'multicast':
      return { by: 'multicast', group: source.group, port: source.port }
  }
}

/** What is looked up, for each group of which nobody says where it is. */
function namesOf(
  { name, port }: Source & { readonly by: 'dns' },
  { groups }: Deployment,
  environment: Around | undefined,
): PlannedName[] {
  const looked = [...groups.values()].filter(
    (group) => !isPlaced(group) && (environment && addressesOf(environment, group.name)) === undefined,
  )
  return looked.map((group) => {
    const full = name.replaceAll('{group}', group.name)
    return { group: group.name, name: port === undefined ? full : hostAndPort(full, port) }
  })
}
