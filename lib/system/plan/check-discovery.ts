import { sourcesOf } from '../discovery/sources.js'
import { isEvery } from '../host-names.js'
import type { Deployment, Group } from '../system.js'
import type { Around } from './check-secret.js'
import { type Finding, warningOf } from './finding.js'
import { quoted } from './words.js'

/** Finds groups that nobody looks for, though the deployment looks: `listen` says where they are, and goes before it. */
export function checkDiscovery(deployment: Deployment, environment: Around | undefined): Finding[] {
  const sources = sourcesOf({ discovery: deployment.discovery, environment: environment?.discovery })
  if (sources.length === 0) return []
  return [...deployment.groups.values()]
    .filter(isPlaced)
    .map(({ name }) =>
      warningOf(
        'NOT_LOOKED_FOR',
        `deployments.${deployment.name}.groups.${name}.listen`,
        `The other groups do not look for ${quoted(name)} by ${sources.map(({ by }) => by).join(' or ')}: its 'listen' says where it is. Leave its port out and set LUCILIUS_PORT where it is needed, or listen on 0.0.0.0.`,
      ),
    )
}

/** Whether the description says where the processes of a group are. */
export function isPlaced({ listen: { host, port, urls } }: Group): boolean {
  return urls !== undefined || (port !== 0 && !isEvery(host))
}
