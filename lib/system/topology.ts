import { LuciliusError } from '../errors.js'
import { nearest } from '../nearest.js'
import { clashes } from './clash.js'
import type { Deployment, Group, Outside, System } from './system.js'

/** A process of a deployment. */
export interface ProcessPlan {
  /** The name of the group, or `convert.1` if the group has more than one replica. */
  readonly id: string
  /** Whose services run in it. */
  readonly group: Group
  /** Which replica of the group it is, from 1. */
  readonly replica: number
  /** Where it listens for the other processes; the replicas of a group take the ports that follow, 0 takes a free one. */
  readonly port: number
  /** Its doors to the outside, on ports that follow likewise. */
  readonly outside: readonly Outside[]
}

const highestPort = 65_535

/**
 * The processes of a deployment, group by group. `replicas` says how many a group has in place of what is described.
 *
 * Throws `LUC_OPTIONS_INVALID` for a group that is not there, a number that is none, and ports that do not suffice.
 */
export function processesOf(deployment: Deployment, replicas: ReadonlyMap<string, number> = new Map()): ProcessPlan[] {
  for (const [name, count] of replicas) checkReplicas(deployment, name, count)
  return [...deployment.groups.values()].flatMap((group) => {
    const count = replicas.get(group.name) ?? group.replicas
    return Array.from({ length: count }, (_, index) => processOf(group, index + 1, count))
  })
}

/** Whether processes of two groups exchange messages: both allow it. A group always allows itself. */
export function areLinked(a: Group, b: Group): boolean {
  return allows(a, b) && allows(b, a)
}

/** One process with all services and no door. */
export function wholeSystem({ services }: System): Deployment {
  return single('all', [...services.keys()], [])
}

/** The deployment whose doors `dev` opens: the one named `dev`, else the first one described, else none. */
export function deploymentOfDev({ deployments }: System): Deployment | undefined {
  return deployments.get('dev') ?? deployments.values().next().value
}

/**
 * One process with all services and the doors of all groups of a deployment, that of `dev` unless given. Each door lets in
 * what it lets in when the groups run apart. A port that another door has already becomes 0.
 */
export function onOneProcess(system: System, deployment: Deployment | undefined = deploymentOfDev(system)): Deployment {
  const services = [...system.services.keys()]
  const doors: Outside[] = []
  for (const group of deployment?.groups.values() ?? []) {
    for (const door of group.outside) {
      const port = doors.some((other) => clashes(other, door)) ? 0 : door.port
      doors.push(Object.freeze({ ...door, port, services: group.services }))
    }
  }
  return single(deployment?.name ?? 'all', services, doors, deployment?.transport)
}

function processOf(group: Group, replica: number, count: number): ProcessPlan {
  return Object.freeze({
    id: count > 1 ? `${group.name}.${replica}` : group.name,
    group,
    replica,
    port: portOf(group, group.listen.port, replica),
    outside: Object.freeze(
      group.outside.map((door) => Object.freeze({ ...door, port: portOf(group, door.port, replica) })),
    ),
  })
}

function portOf({ name }: Group, first: number, replica: number): number {
  if (first === 0) return 0
  const port = first + replica - 1
  if (port <= highestPort) return port
  throw invalid(`Group '${name}': replica ${replica} would listen on ${port}, and ports end at ${highestPort}.`)
}

function checkReplicas({ name: deployment, groups }: Deployment, name: string, count: number): void {
  if (!groups.has(name)) {
    const known = [...groups.keys()]
    const [near] = nearest(name, known)
    const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean '${near}'?`
    throw invalid(`There is no group '${name}' in the deployment '${deployment}': ${hint}`)
  }
  if (Number.isSafeInteger(count) && count >= 1 && count <= 1000) return
  throw invalid(`The replicas of '${name}' are a whole number from 1 to 1000, not ${count}.`)
}

function allows({ peers }: Group, { name }: Group): boolean {
  return peers === undefined || peers.includes(name)
}

function single(
  name: string,
  services: readonly string[],
  outside: readonly Outside[],
  transport: Deployment['transport'] = 'websocket',
): Deployment {
  const listen = Object.freeze({ host: '127.0.0.1', port: 0, urls: undefined })
  const group: Group = Object.freeze({
    name: 'all',
    services: Object.freeze([...services]),
    replicas: 1,
    listen,
    outside: Object.freeze([...outside]),
    peers: undefined,
  })
  return Object.freeze({ name, transport, groups: new Map([['all', group]]) })
}

function invalid(message: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', message)
}
