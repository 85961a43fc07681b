import { didYouMean } from '../did-you-mean.js'
import { clashes } from './clash.js'
import { invalid } from './invalid.js'
import { plainDeployment, plainGroup } from './plain-deployment.js'
import type { Deployment, Foreign, Group, Outside, System } from './system.js'

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

/** Processes that a group may have. */
export const MOST_REPLICAS = 1000

/** The last port there is. */
export const HIGHEST_PORT = 65_535

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

/**
 * A process on the ports that it takes where it runs. `addresses` are those of the processes of its group, by default what
 * is described: only replicas whose addresses are of one machine take ports that follow.
 */
export function onItsMachine(
  process: ProcessPlan,
  addresses: readonly string[] | undefined = process.group.listen.urls,
): ProcessPlan {
  const { group, replica } = process
  if (addresses === undefined) return process
  const beside = addresses.slice(0, replica - 1).filter((other) => isBeside(other, addresses[replica - 1]))
  return Object.freeze({ ...process, ...portsOf(group, replica, beside.length) })
}

/** Checks that of a singleton only one is run. Throws `LUC_OPTIONS_INVALID`. */
export function checkSingletons({ services }: Pick<System, 'services'>, processes: readonly ProcessPlan[]): void {
  for (const { group, replica } of processes) {
    const single = group.services.find((name) => services.get(name)?.singleton === true)
    if (replica === 1 || single === undefined) continue
    throw invalid(`The group '${group.name}' cannot have replicas: there is one '${single}' in the whole system.`)
  }
}

/** Whether processes of two groups exchange messages: both allow it. A group always allows itself. */
export function areLinked(a: Group, b: Group): boolean {
  return allows(a, b) && allows(b, a)
}

/** One process with all services and no door. */
export function wholeSystem({ services }: System): Deployment {
  return plainDeployment('all', [plainGroup('all', [...services.keys()])])
}

/** The deployment whose doors `dev` opens: the one named `dev`, else the first one described, else none. */
export function deploymentOfDev({ deployments }: System): Deployment | undefined {
  return deployments.get('dev') ?? deployments.values().next().value
}

/**
 * One process with all services and the doors of all groups of a deployment, that of `dev` unless given. Each door lets in
 * what it lets in when the groups run apart. A port that another door has already becomes 0.
 *
 * Nothing of it needs a broker, unless it is the deployment named `dev` that says so: its store, its brokers, and what its
 * groups exchange with programs of others. That of another one is for where that runs.
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
  const group: Group = { ...plainGroup('all', services), outside: Object.freeze(doors) }
  if (deployment?.name !== 'dev') return plainDeployment(deployment?.name ?? 'all', [group])
  const { brokers, store } = deployment
  return { ...plainDeployment('dev', [{ ...group, amqp: foreignOf(deployment) }]), brokers, store }
}

/** What all groups exchange with programs of others. */
function foreignOf({ groups }: Deployment): Foreign | undefined {
  const all = [...groups.values()].flatMap(({ amqp }) => amqp ?? [])
  if (all.length === 0) return undefined
  return { consume: all.flatMap(({ consume }) => consume), publish: all.flatMap(({ publish }) => publish) }
}

function processOf(group: Group, replica: number, count: number): ProcessPlan {
  return Object.freeze({
    id: count > 1 ? `${group.name}.${replica}` : group.name,
    group,
    replica,
    ...portsOf(group, replica, replica - 1),
  })
}

/** Those described, or as many further on as other replicas have taken. */
function portsOf(group: Group, replica: number, taken: number): Pick<ProcessPlan, 'port' | 'outside'> {
  const portOf = (first: number) => {
    const port = first === 0 ? 0 : first + taken
    if (port <= HIGHEST_PORT) return port
    throw invalid(
      `Group '${group.name}': replica ${replica} would listen on ${port}, and ports end at ${HIGHEST_PORT}.`,
    )
  }
  return {
    port: portOf(group.listen.port),
    outside: Object.freeze(group.outside.map((door) => Object.freeze({ ...door, port: portOf(door.port) }))),
  }
}

/** Whether two addresses are of one machine: the same host, and no proxy that has one port for both. */
function isBeside(one: string, other: string | undefined): boolean {
  if (other === undefined) return false
  const [a, b] = [new URL(one), new URL(other)]
  return a.hostname === b.hostname && a.port !== b.port
}

function checkReplicas({ name: deployment, groups }: Deployment, name: string, count: number): void {
  if (!groups.has(name)) {
    throw invalid(`There is no group '${name}' in the deployment '${deployment}': ${didYouMean(name, groups.keys())}`)
  }
  if (Number.isSafeInteger(count) && count >= 1 && count <= MOST_REPLICAS) return
  throw invalid(`The replicas of '${name}' are a whole number from 1 to ${MOST_REPLICAS}, not ${count}.`)
}

function allows({ peers }: Group, { name }: Group): boolean {
  return peers === undefined || peers.includes(name)
}
