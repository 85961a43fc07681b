import type { Environment, ListenOverride } from './environment.js'
import type { Outside } from './system.js'
import type { ProcessPlan } from './topology.js'

/** A process with the hosts and ports that its environment has in place of those described. */
export function overridden(plan: ProcessPlan, { listen, doors }: Pick<Environment, 'listen' | 'doors'>): ProcessPlan {
  const { group, port, outside } = plan
  const first = { http: true, websocket: true }
  const overriddenDoor = (door: Outside): Outside => {
    const isFirst = first[door.transport]
    first[door.transport] = false
    return isFirst ? { ...door, ...given(doors[door.transport]) } : door
  }
  return {
    ...plan,
    group: { ...group, listen: { ...group.listen, ...(listen.host === undefined ? {} : { host: listen.host }) } },
    port: listen.port ?? port,
    outside: outside.map(overriddenDoor),
  }
}

function given({ host, port }: ListenOverride): Partial<Pick<Outside, 'host' | 'port'>> {
  return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) }
}
